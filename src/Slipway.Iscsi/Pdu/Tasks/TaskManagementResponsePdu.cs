using Slipway.Scsi;

namespace Slipway.Iscsi.Pdu;

/// <summary>RFC 7143 §11.6.</summary>
public readonly ref struct TaskManagementResponsePdu(Span<byte> bytes)
{
    public PduHeader Header { get; } = new(bytes);

    public uint InitiatorTaskTag
    {
        get => Header.InitiatorTaskTag;
        set => Header.SetWord(16, value);
    }

    public TaskManagementResponse Response
    {
        get => (TaskManagementResponse)Header.Bytes[2];
        set => Header.Bytes[2] = (byte)value;
    }

    /// <summary>Makes the 48 bytes an empty PDU of this kind. Bit 7 of byte 1 is always one.</summary>
    public static TaskManagementResponsePdu Begin(Span<byte> bytes)
    {
        var pdu = new TaskManagementResponsePdu(bytes);
        pdu.Header.Begin(Opcode.TaskManagementResponse, PduHeader.FinalFlag);
        return pdu;
    }
}
