namespace Slipway.Iscsi.Pdu;

/// <summary>RFC 7143 §11.19.</summary>
public readonly ref struct NopInPdu(Span<byte> bytes)
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

    /// <summary>Makes the 48 bytes an empty PDU of this kind. Bit 7 of byte 1 is always one.</summary>
    public static NopInPdu Begin(Span<byte> bytes)
    {
        var pdu = new NopInPdu(bytes);
        pdu.Header.Begin(Opcode.NopIn, PduHeader.FinalFlag);
        return pdu;
    }
}
