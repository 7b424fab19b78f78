namespace Slipway.Iscsi.Pdu;

/// <summary>RFC 7143 §11.12.</summary>
public readonly ref struct LoginRequestPdu(Span<byte> bytes)
{
    public PduHeader Header { get; } = new(bytes);

    public uint InitiatorTaskTag
    {
        get => Header.InitiatorTaskTag;
        set => Header.SetWord(16, value);
    }

    public bool Transit
    {
        get => Header.Flag(1, 0x80);
        set => Header.SetFlag(1, 0x80, value);
    }

    public bool Continue
    {
        get => Header.Flag(1, 0x40);
        set => Header.SetFlag(1, 0x40, value);
    }

    public LoginStage CurrentStage
    {
        get => (LoginStage)((Header.Bytes[1] >> 2) & 3);
        set => Header.Bytes[1] = (byte)((Header.Bytes[1] & ~0x0C) | ((int)value << 2));
    }

    public LoginStage NextStage
    {
        get => (LoginStage)(Header.Bytes[1] & 3);
        set => Header.Bytes[1] = (byte)((Header.Bytes[1] & ~0x03) | (int)value);
    }

    public byte VersionMax
    {
        get => Header.Bytes[2];
        set => Header.Bytes[2] = value;
    }

    public byte VersionMin
    {
        get => Header.Bytes[3];
        set => Header.Bytes[3] = value;
    }

    /// <summary>The 48 bits that, with the initiator's name, name its port.</summary>
    public ulong Isid
    {
        get => Header.Lun >> 16;
        set => Header.SetLong(8, (value << 16) | (Header.Lun & 0xFFFF));
    }

    public ushort Tsih
    {
        get => Header.HalfWord(14);
        set => Header.SetHalfWord(14, value);
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
    public static LoginRequestPdu Begin(Span<byte> bytes)
    {
        var pdu = new LoginRequestPdu(bytes);
        pdu.Header.Begin(Opcode.LoginRequest);
        return pdu;
    }
}
