using System.Buffers.Binary;
using System.Runtime.Intrinsics.X86;
using ArmCrc32 = System.Runtime.Intrinsics.Arm.Crc32;

namespace Slipway.Iscsi.Digests;

/// <summary>
/// CRC32C (RFC 7143 §13.1, RFC 3385): polynomial 0x11EDC6F41, reflected. The digest goes on the wire as
/// <see cref="Finish"/> gives it, least significant byte first.
/// </summary>
public static class Crc32C
{
    public const int Size = 4;
    public const uint Seed = 0xFFFFFFFF;
    internal const uint Polynomial = 0x82F63B78;
    private static readonly uint[] Table = MakeTable();

    public static uint Compute(ReadOnlySpan<byte> bytes) => Finish(Append(Seed, bytes));

    public static uint Finish(uint state) => ~state;

    public static void Write(Span<byte> destination, uint digest) => BinaryPrimitives.WriteUInt32LittleEndian(destination, digest);

    public static uint Read(ReadOnlySpan<byte> source) => BinaryPrimitives.ReadUInt32LittleEndian(source);

    public static uint Append(uint state, ReadOnlySpan<byte> bytes)
    {
        if (Sse42.X64.IsSupported)
        {
            if (Pclmulqdq.IsSupported)
                state = Crc32CStreams.Append(state, ref bytes);
            ulong wide = state;
            while (bytes.Length >= 8)
            {
                wide = Sse42.X64.Crc32(wide, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
                bytes = bytes[8..];
            }
            state = (uint)wide;
            foreach (var b in bytes)
                state = Sse42.Crc32(state, b);
            return state;
        }
        if (ArmCrc32.Arm64.IsSupported)
        {
            while (bytes.Length >= 8)
            {
                state = ArmCrc32.Arm64.ComputeCrc32C(state, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
                bytes = bytes[8..];
            }
            foreach (var b in bytes)
                state = ArmCrc32.ComputeCrc32C(state, b);
            return state;
        }
        return AppendByTable(state, bytes);
    }

    internal static uint AppendByTable(uint state, ReadOnlySpan<byte> bytes)
    {
        foreach (var b in bytes)
            state = Table[(byte)(state ^ b)] ^ (state >> 8);
        return state;
    }

    private static uint[] MakeTable()
    {
        var table = new uint[256];
        for (uint i = 0; i < table.Length; i++)
        {
            var c = i;
            for (var bit = 0; bit < 8; bit++)
                c = (c & 1) != 0 ? (c >> 1) ^ Polynomial : c >> 1;
            table[i] = c;
        }
        return table;
    }
}
