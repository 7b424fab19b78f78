using System.Text;
using Slipway.Iscsi.Pdu;

namespace Slipway.Iscsi.Tests;

/// <summary>One PDU from the target.</summary>
internal sealed record Reply(byte[] Bytes, byte[] Data)
{
    public PduHeader Header => new(Bytes);

    public Opcode Opcode => Header.Opcode;

    public uint Tag => Header.InitiatorTaskTag;

    /// <summary>StatSN counts these (RFC 7143 §4.2.2.2).</summary>
    public bool HasStatus => Opcode switch
    {
        Opcode.ReadyToTransfer => false,
        Opcode.DataIn => new DataInPdu(Bytes).HasStatus,
        Opcode.NopIn => Tag != PduHeader.ReservedTag,
        _ => true,
    };

    public uint StatSN => Header.SequenceNumber;

    public uint ExpCmdSN => Header.ExpCmdSN;

    public uint MaxCmdSN => Header.MaxCmdSN;

    /// <summary>The text of a login or text response, its pairs divided by blanks.</summary>
    public string Text => Encoding.UTF8.GetString(Data).TrimEnd('\0').Replace('\0', ' ');

    public string? Key(string name) =>
        Text.Split(' ').FirstOrDefault(p => p.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..];

    public override string ToString() => $"{Opcode} tag {Tag:x} {Convert.ToHexString(Bytes)} {(Opcode is Opcode.LoginResponse or Opcode.TextResponse ? Text : Convert.ToHexString(Data))}";
}
