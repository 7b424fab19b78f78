namespace Slipway.Iscsi.Pdu;

/// <summary>RFC 7143 §11.10.</summary>
public readonly ref struct TextRequestPdu(Span<byte> bytes)
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

    public bool Final
    {
        get => Header.Final;
        set => Header.SetFlag(1, PduHeader.FinalFlag, value);
    }

    public bool Continue
    {
        get => Header.Flag(1, 0x40);
        set => Header.SetFlag(1, 0x40, value);
    }

    public uint TargetTransferTag
    {
        get => Header.Word(20);
        set => Header.SetWord(20, value);
    }

    public uint CmdSN
    {
        get => Header.Word(24);
        set => Header.SetWord(24, value);
    }

    /// <summary>Makes the 48 bytes an empty PDU of this kind.</summary>
    public static TextRequestPdu Begin(Span<byte> bytes)
    {
        var pdu = new TextRequestPdu(bytes);
        pdu.Header.Begin(Opcode.TextRequest);
        return pdu;
    }
}
