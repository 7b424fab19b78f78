namespace Slipway.Iscsi.Pdu;

/// <summary>RFC 7143 §11.17. The header of the refused PDU follows as data.</summary>
public readonly ref struct RejectPdu(Span<byte> bytes)
{
    public PduHeader Header { get; } = new(bytes);

    public RejectReason Reason
    {
        get => (RejectReason)Header.Bytes[2];
        set => Header.Bytes[2] = (byte)value;
    }

    /// <summary>Makes the 48 bytes an empty PDU of this kind. Bit 7 of byte 1 is always one.</summary>
    public static RejectPdu Begin(Span<byte> bytes)
    {
        var pdu = new RejectPdu(bytes);
        pdu.Header.Begin(Opcode.Reject, PduHeader.FinalFlag);
        return pdu;
    }
}
