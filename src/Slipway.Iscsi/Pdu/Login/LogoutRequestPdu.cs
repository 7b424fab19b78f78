namespace Slipway.Iscsi.Pdu;

/// <summary>RFC 7143 §11.14.</summary>
public readonly ref struct LogoutRequestPdu(Span<byte> bytes)
{
    public PduHeader Header { get; } = new(bytes);

    public uint InitiatorTaskTag
    {
        get => Header.InitiatorTaskTag;
        set => Header.SetWord(16, value);
    }

    public LogoutReason Reason
    {
        get => (LogoutReason)(Header.Bytes[1] & 0x7F);
        set => Header.Bytes[1] = (byte)(0x80 | (int)value);
    }

    public ushort Cid
    {
        get => Header.HalfWord(20);
        set => Header.SetHalfWord(20, value);
    }

    public uint CmdSN
    {
        get => Header.Word(24);
        set => Header.SetWord(24, value);
    }

    /// <summary>Makes the 48 bytes an empty PDU of this kind.</summary>
    public static LogoutRequestPdu Begin(Span<byte> bytes)
    {
        var pdu = new LogoutRequestPdu(bytes);
        pdu.Header.Begin(Opcode.LogoutRequest);
        return pdu;
    }
}
