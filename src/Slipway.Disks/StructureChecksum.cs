using System.Buffers.Binary;
using System.IO.Hashing;

namespace Slipway.Disks;

/// <summary>
/// The CRC32C that a structure on a disk carries in itself: over all of it with the checksum's own field as zeroes. Of XFS's
/// version 5 (Linux, fs/xfs/libxfs/xfs_cksum.h; little-endian where everything else is big-endian) and of VHDX ([MS-VHDX] §2.2.2, §2.2.3).
/// </summary>
public static class StructureChecksum
{
    /// <param name="field">Where in the structure its checksum is.</param>
    public static bool IsRight(ReadOnlySpan<byte> bytes, int field) => Of(bytes, field) == BinaryPrimitives.ReadUInt32LittleEndian(bytes[field..]);

    public static uint Of(ReadOnlySpan<byte> bytes, int field)
    {
        var crc = new Crc32(Crc32ParameterSet.Crc32C);
        crc.Append(bytes[..field]);
        crc.Append([0, 0, 0, 0]);
        crc.Append(bytes[(field + 4)..]);
        return crc.GetCurrentHashAsUInt32();
    }
}
