using Slipway.Scsi;

namespace Slipway.Iscsi.Pdu;

/// <summary>RFC 7143 §11.4.</summary>
public readonly ref struct ScsiResponsePdu(Span<byte> bytes)
{
    public PduHeader Header { get; } = new(bytes);

    public uint InitiatorTaskTag
    {
        get => Header.InitiatorTaskTag;
        set => Header.SetWord(16, value);
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

    /// <summary>o: of what a bidirectional command reads (§11.4.5.2).</summary>
    public bool ReadOverflow
    {
        get => Header.Flag(1, 0x10);
        set => Header.SetFlag(1, 0x10, value);
    }

    /// <summary>u.</summary>
    public bool ReadUnderflow
    {
        get => Header.Flag(1, 0x08);
        set => Header.SetFlag(1, 0x08, value);
    }

    /// <summary>0: completed at the target; 1: target failure (§11.4.3).</summary>
    public byte Response
    {
        get => Header.Bytes[2];
        set => Header.Bytes[2] = value;
    }

    public ScsiStatus Status
    {
        get => (ScsiStatus)Header.Bytes[3];
        set => Header.Bytes[3] = (byte)value;
    }

    public uint ExpDataSN
    {
        get => Header.Word(36);
        set => Header.SetWord(36, value);
    }

    public uint ReadResidualCount
    {
        get => Header.Word(40);
        set => Header.SetWord(40, value);
    }

    public uint ResidualCount
    {
        get => Header.Word(44);
        set => Header.SetWord(44, value);
    }

    /// <summary>Makes the 48 bytes an empty PDU of this kind. Bit 7 of byte 1 is always one.</summary>
    public static ScsiResponsePdu Begin(Span<byte> bytes)
    {
        var pdu = new ScsiResponsePdu(bytes);
        pdu.Header.Begin(Opcode.ScsiResponse, PduHeader.FinalFlag);
        return pdu;
    }
}
