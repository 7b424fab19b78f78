using System.Buffers.Binary;

namespace Slipway.Iscsi.Pdu;

/// <summary>
/// The Basic Header Segment (RFC 7143 §11.2.1): 48 bytes. It and the types named after the PDUs are views over those
/// bytes: reading a field reads the wire, and nothing is allocated.
/// </summary>
public readonly ref struct PduHeader(Span<byte> bytes)
{
    public const int Size = 48;

    /// <summary>A tag that names no task (RFC 7143 §11.2.1.8, §11.9).</summary>
    public const uint ReservedTag = 0xFFFFFFFF;

    /// <summary>Bit 7 of byte 1: F; T in a login; always one in most responses.</summary>
    public const byte FinalFlag = 0x80;

    public Span<byte> Bytes { get; } = bytes[..Size];

    public Opcode Opcode
    {
        get => (Opcode)(Bytes[0] & 0x3F);
        set => Bytes[0] = (byte)((Bytes[0] & 0xC0) | (byte)value);
    }

    /// <summary>For delivery at once, outside the order of CmdSN (RFC 7143 §4.2.2.1).</summary>
    public bool Immediate
    {
        get => (Bytes[0] & 0x40) != 0;
        set => Bytes[0] = (byte)(value ? Bytes[0] | 0x40 : Bytes[0] & ~0x40);
    }

    public bool Final
    {
        get => Flag(1, FinalFlag);
        set => SetFlag(1, FinalFlag, value);
    }

    /// <summary>In words of four bytes.</summary>
    public byte TotalAhsLength
    {
        get => Bytes[4];
        set => Bytes[4] = value;
    }

    /// <summary>Without the padding.</summary>
    public int DataSegmentLength
    {
        get => (Bytes[5] << 16) | (Bytes[6] << 8) | Bytes[7];
        set
        {
            Bytes[5] = (byte)(value >> 16);
            Bytes[6] = (byte)(value >> 8);
            Bytes[7] = (byte)value;
        }
    }

    public ulong Lun
    {
        get => BinaryPrimitives.ReadUInt64BigEndian(Bytes[8..]);
        set => SetLong(8, value);
    }

    public uint InitiatorTaskTag
    {
        get => Word(16);
        set => SetWord(16, value);
    }

    /// <summary>CmdSN in a request, StatSN in a response.</summary>
    public uint SequenceNumber
    {
        get => Word(24);
        set => SetWord(24, value);
    }

    /// <summary>In a response.</summary>
    public uint ExpCmdSN
    {
        get => Word(28);
        set => SetWord(28, value);
    }

    /// <summary>In a response.</summary>
    public uint MaxCmdSN
    {
        get => Word(32);
        set => SetWord(32, value);
    }

    /// <summary>Makes it an empty PDU of a kind.</summary>
    /// <param name="flags">Byte 1.</param>
    public void Begin(Opcode opcode, byte flags = 0)
    {
        Bytes.Clear();
        (Bytes[0], Bytes[1]) = ((byte)opcode, flags);
    }

    public bool Flag(int at, byte flag) => (Bytes[at] & flag) != 0;

    public void SetFlag(int at, byte flag, bool value) => Bytes[at] = (byte)(value ? Bytes[at] | flag : Bytes[at] & ~flag);

    public void SetLong(int at, ulong value) => BinaryPrimitives.WriteUInt64BigEndian(Bytes[at..], value);

    public uint Word(int at) => BinaryPrimitives.ReadUInt32BigEndian(Bytes[at..]);

    public void SetWord(int at, uint value) => BinaryPrimitives.WriteUInt32BigEndian(Bytes[at..], value);

    public ushort HalfWord(int at) => BinaryPrimitives.ReadUInt16BigEndian(Bytes[at..]);

    public void SetHalfWord(int at, ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Bytes[at..], value);
}
