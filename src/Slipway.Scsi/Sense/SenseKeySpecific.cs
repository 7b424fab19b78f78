using System.Buffers.Binary;

namespace Slipway.Scsi;

/// <summary>The three sense-key specific bytes (SPC-4 §4.5.2.4): where a field is wrong, or how far an operation is.</summary>
internal readonly struct SenseKeySpecific
{
    private readonly byte _first;
    private readonly ushort _rest;

    private SenseKeySpecific(byte first, ushort rest)
    {
        _first = first;
        _rest = rest;
    }

    public bool IsValid => (_first & 0x80) != 0;

    /// <summary>SPC-4 §4.5.2.4.2: the field in error lies in the CDB.</summary>
    public static SenseKeySpecific InCdb(int fieldByte, int? bit = null) => Field(0x40, fieldByte, bit);

    /// <summary>SPC-4 §4.5.2.4.2: the field in error lies in the parameter list.</summary>
    public static SenseKeySpecific InParameterList(int fieldByte, int? bit = null) => Field(0, fieldByte, bit);

    /// <summary>SPC-4 §4.5.2.4.4: <paramref name="fraction"/> of 65 536 done.</summary>
    public static SenseKeySpecific Progress(ushort fraction) => new(0x80, fraction);

    public void Write(Span<byte> destination)
    {
        destination[0] = _first;
        BinaryPrimitives.WriteUInt16BigEndian(destination[1..], _rest);
    }

    private static SenseKeySpecific Field(byte cd, int fieldByte, int? bit) =>
        new((byte)(0x80 | cd | (bit is { } b ? 0x08 | b : 0)), (ushort)fieldByte);
}
