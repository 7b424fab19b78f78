using System.Buffers.Binary;
using System.Numerics;

namespace Slipway.Disks.Xfs;

/// <summary>
/// The CRC32C that each metadata structure of version 5 carries (Linux, fs/xfs/libxfs/xfs_cksum.h): over all of it with
/// the checksum's own field as zeroes, little-endian where everything else is big-endian.
/// </summary>
internal static class XfsChecksum
{
    public static bool IsRight(ReadOnlySpan<byte> bytes, int field) => Of(bytes, field) == BinaryPrimitives.ReadUInt32LittleEndian(bytes[field..]);

    public static uint Of(ReadOnlySpan<byte> bytes, int field)
    {
        var crc = Append(uint.MaxValue, bytes[..field]);
        return ~Append(BitOperations.Crc32C(crc, 0u), bytes[(field + 4)..]);
    }

    private static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        for (; bytes.Length >= 8; bytes = bytes[8..]) crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (var b in bytes) crc = BitOperations.Crc32C(crc, b);
        return crc;
    }
}
