namespace Slipway.Iscsi.Pdu;

/// <summary>RFC 7143 §11.8.</summary>
public readonly ref struct ReadyToTransferPdu(Span<byte> bytes)
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

    public uint TargetTransferTag
    {
        get => Header.Word(20);
        set => Header.SetWord(20, value);
    }

    public uint R2TSN
    {
        get => Header.Word(36);
        set => Header.SetWord(36, value);
    }

    public uint BufferOffset
    {
        get => Header.Word(40);
        set => Header.SetWord(40, value);
    }

    public uint DesiredDataTransferLength
    {
        get => Header.Word(44);
        set => Header.SetWord(44, value);
    }

    /// <summary>Makes the 48 bytes an empty PDU of this kind. Bit 7 of byte 1 is always one.</summary>
    public static ReadyToTransferPdu Begin(Span<byte> bytes)
    {
        var pdu = new ReadyToTransferPdu(bytes);
        pdu.Header.Begin(Opcode.ReadyToTransfer, PduHeader.FinalFlag);
        return pdu;
    }
}
