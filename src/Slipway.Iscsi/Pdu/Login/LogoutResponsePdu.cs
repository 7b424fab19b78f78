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

    /// <summary>Makes the 48 bytes an empty PDU of this kind. Bit 7 of byte 1 is always one.</summary>
    public static LogoutResponsePdu Begin(Span<byte> bytes)
    {
        var pdu = new LogoutResponsePdu(bytes);
        pdu.Header.Begin(Opcode.LogoutResponse, PduHeader.FinalFlag);
        return pdu;
    }
}
