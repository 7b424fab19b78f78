namespace Slipway.Iscsi.Pdu;

/// <summary>RFC 7143 §11.9.</summary>
public readonly ref struct AsyncMessagePdu(Span<byte> bytes)
{
    public PduHeader Header { get; } = new(bytes);

    public ulong Lun
    {
        get => Header.Lun;
        set => Header.SetLong(8, value);
    }

    public AsyncEvent Event
    {
        get => (AsyncEvent)Header.Bytes[36];
        set => Header.Bytes[36] = (byte)value;
    }

    public ushort Parameter2
    {
        get => Header.HalfWord(40);
        set => Header.SetHalfWord(40, value);
    }

    public ushort Parameter3
    {
        get => Header.HalfWord(42);
        set => Header.SetHalfWord(42, value);
    }

    /// <summary>Makes the 48 bytes an empty PDU of this kind. Bit 7 of byte 1 is always one.</summary>
    public static AsyncMessagePdu Begin(Span<byte> bytes)
    {
        var pdu = new AsyncMessagePdu(bytes);
        pdu.Header.Begin(Opcode.AsyncMessage, PduHeader.FinalFlag);
        return pdu;
    }
}
