using Slipway.Scsi;

namespace Slipway.Iscsi.Pdu;

/// <summary>RFC 7143 §11.5.</summary>
public readonly ref struct TaskManagementRequestPdu(Span<byte> bytes)
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

    public TaskManagementFunction Function
    {
        get => (TaskManagementFunction)(Header.Bytes[1] & 0x7F);
        set => Header.Bytes[1] = (byte)(0x80 | (int)value);
    }

    public uint ReferencedTaskTag
    {
        get => Header.Word(20);
        set => Header.SetWord(20, value);
    }

    public uint CmdSN
    {
        get => Header.Word(24);
        set => Header.SetWord(24, value);
    }

    public uint RefCmdSN
    {
        get => Header.Word(32);
        set => Header.SetWord(32, value);
    }

    public uint ExpDataSN
    {
        get => Header.Word(36);
        set => Header.SetWord(36, value);
    }

    /// <summary>Makes the 48 bytes an empty PDU of this kind.</summary>
    public static TaskManagementRequestPdu Begin(Span<byte> bytes)
    {
        var pdu = new TaskManagementRequestPdu(bytes);
        pdu.Header.Begin(Opcode.TaskManagementRequest);
        return pdu;
    }
}
