namespace Slipway.Iscsi.Pdu;

/// <summary>RFC 7143 §11.7.</summary>
public readonly ref struct DataOutPdu(Span<byte> bytes)
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

    /// <summary>Makes the 48 bytes an empty PDU of this kind.</summary>
    public static DataOutPdu Begin(Span<byte> bytes)
    {
        var pdu = new DataOutPdu(bytes);
        pdu.Header.Begin(Opcode.DataOut);
        return pdu;
    }
}
