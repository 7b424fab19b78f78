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

    /// <summary>Makes the 48 bytes an empty PDU of this kind.</summary>
    public static NopInPdu Begin(Span<byte> bytes)
    {
        var pdu = new NopInPdu(bytes);
        pdu.Header.Bytes.Clear();
        pdu.Header.Bytes[0] = (byte)Opcode.NopIn;
        return pdu;
    }
}
