namespace Slipway.Iscsi.Pdu;

/// <summary>RFC 7143 §11.15.</summary>
public readonly ref struct LogoutResponsePdu(Span<byte> bytes)
{
    public PduHeader Header { get; } = new(bytes);

    public uint InitiatorTaskTag
    {
        get => Header.InitiatorTaskTag;
        set => Header.SetWord(16, value);
    }

    public LogoutResult Response
    {
        get => (LogoutResult)Header.Bytes[2];
        set => Header.Bytes[2] = (byte)value;
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

    public ushort Time2Wait
    {
        get => Header.HalfWord(40);
        set => Header.SetHalfWord(40, value);
    }

    public ushort Time2Retain
    {
        get => Header.HalfWord(42);
        set => Header.SetHalfWord(42, value);
    }

    /// <summary>Makes the 48 bytes an empty PDU of this kind.</summary>
    public static LogoutResponsePdu Begin(Span<byte> bytes)
    {
        var pdu = new LogoutResponsePdu(bytes);
        pdu.Header.Bytes.Clear();
        pdu.Header.Bytes[0] = (byte)Opcode.LogoutResponse;
        return pdu;
    }
}
