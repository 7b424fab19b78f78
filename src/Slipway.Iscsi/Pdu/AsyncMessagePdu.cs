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

    public byte VendorCode
    {
        get => Header.Bytes[37];
        set => Header.Bytes[37] = value;
    }

    public uint StatSN
    {
        get => Header.Word(24);
        set => Header.SetWord(24, value);
    }

    public uint ExpCmdSN
    {
        get => Header.Word(28);
        set => Header.SetWord(28, value);
    }

    public uint MaxCmdSN
    {
        get => Header.Word(32);
        set => Header.SetWord(32, value);
    }

    public ushort Parameter1
    {
        get => Header.HalfWord(38);
        set => Header.SetHalfWord(38, value);
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

    /// <summary>Makes the 48 bytes an empty PDU of this kind.</summary>
    public static AsyncMessagePdu Begin(Span<byte> bytes)
    {
        var pdu = new AsyncMessagePdu(bytes);
        pdu.Header.Bytes.Clear();
        pdu.Header.Bytes[0] = (byte)Opcode.AsyncMessage;
        return pdu;
    }
}
