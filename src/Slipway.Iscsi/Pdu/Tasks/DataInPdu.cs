using Slipway.Scsi;

namespace Slipway.Iscsi.Pdu;

/// <summary>RFC 7143 §11.7.</summary>
public readonly ref struct DataInPdu(Span<byte> bytes)
{
    public PduHeader Header { get; } = new(bytes);

    public uint InitiatorTaskTag
    {
        get => Header.InitiatorTaskTag;
        set => Header.SetWord(16, value);
    }

    public bool Final
    {
        get => Header.Final;
        set => Header.SetFlag(1, PduHeader.FinalFlag, value);
    }

    public bool Overflow
    {
        get => Header.Flag(1, 0x04);
        set => Header.SetFlag(1, 0x04, value);
    }

    public bool Underflow
    {
        get => Header.Flag(1, 0x02);
        set => Header.SetFlag(1, 0x02, value);
    }

    /// <summary>S: the command ends with this PDU, and no SCSI Response follows (§11.7.3).</summary>
    public bool HasStatus
    {
        get => Header.Flag(1, 0x01);
        set => Header.SetFlag(1, 0x01, value);
    }

    public ScsiStatus Status
    {
        get => (ScsiStatus)Header.Bytes[3];
        set => Header.Bytes[3] = (byte)value;
    }

    public uint TargetTransferTag
    {
        get => Header.Word(20);
        set => Header.SetWord(20, value);
    }

    public uint DataSN
    {
        get => Header.Word(36);
        set => Header.SetWord(36, value);
    }

    public uint BufferOffset
    {
        get => Header.Word(40);
        set => Header.SetWord(40, value);
    }

    public uint ResidualCount
    {
        get => Header.Word(44);
        set => Header.SetWord(44, value);
    }

    /// <summary>Makes the 48 bytes an empty PDU of this kind.</summary>
    public static DataInPdu Begin(Span<byte> bytes)
    {
        var pdu = new DataInPdu(bytes);
        pdu.Header.Begin(Opcode.DataIn);
        return pdu;
    }
}
