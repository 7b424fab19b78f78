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

    public uint DataSN
    {
        get => Header.Word(36);
        set => Header.SetWord(36, value);
    }

    /// <summary>Makes the 48 bytes an empty PDU of this kind.</summary>
    public static RejectPdu Begin(Span<byte> bytes)
    {
        var pdu = new RejectPdu(bytes);
        pdu.Header.Bytes.Clear();
        pdu.Header.Bytes[0] = (byte)Opcode.Reject;
        return pdu;
    }
}
