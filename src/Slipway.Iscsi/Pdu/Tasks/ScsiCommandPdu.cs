using Slipway.Scsi;

namespace Slipway.Iscsi.Pdu;

/// <summary>RFC 7143 §11.3.</summary>
public readonly ref struct ScsiCommandPdu(Span<byte> bytes)
{
    public PduHeader Header { get; } = new(bytes);

    public uint InitiatorTaskTag
    {
        get => Header.InitiatorTaskTag;
        set => Header.SetWord(16, value);
    }

    public ulong Lun
    {
        get => Header.Lun;
        set => Header.SetLong(8, value);
    }

    public bool Final
    {
        get => Header.Final;
        set => Header.SetFlag(1, PduHeader.FinalFlag, value);
    }

    public bool Read
    {
        get => Header.Flag(1, 0x40);
        set => Header.SetFlag(1, 0x40, value);
    }

    public bool Write
    {
        get => Header.Flag(1, 0x20);
        set => Header.SetFlag(1, 0x20, value);
    }

    public TaskAttribute Attribute
    {
        get => (TaskAttribute)(Header.Bytes[1] & 7);
        set => Header.Bytes[1] = (byte)((Header.Bytes[1] & ~7) | (int)value);
    }

    public uint ExpectedDataTransferLength
    {
        get => Header.Word(20);
        set => Header.SetWord(20, value);
    }

    public uint CmdSN
    {
        get => Header.Word(24);
        set => Header.SetWord(24, value);
    }

    public Span<byte> Cdb => Header.Bytes[32..];

    /// <summary>Makes the 48 bytes an empty PDU of this kind.</summary>
    public static ScsiCommandPdu Begin(Span<byte> bytes)
    {
        var pdu = new ScsiCommandPdu(bytes);
        pdu.Header.Begin(Opcode.ScsiCommand);
        return pdu;
    }
}
