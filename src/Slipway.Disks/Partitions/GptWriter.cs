using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace Slipway.Disks.Partitions;

/// <summary>
/// Writes a fresh GUID partition table (UEFI §5.3): protective MBR, header, 128 entries, and their backup at the disk's
/// end. The same arguments give the same bytes.
/// </summary>
public static class GptWriter
{
    private const int EntryCount = 128;
    private const int EntrySize = 128;

    /// <summary>Bytes at each end of the disk that the table takes.</summary>
    public static long Overhead(int sectorSize) => (2 + EntryCount * EntrySize / sectorSize) * (long)sectorSize;

    public static async ValueTask WriteAsync(
        IBlockDevice disk, Guid diskId, IReadOnlyList<Partition> partitions, int sectorSize = 512, CancellationToken cancellation = default)
    {
        if (sectorSize is not (512 or 4096)) throw new ArgumentOutOfRangeException(nameof(sectorSize), sectorSize, "sectors are 512 or 4096 bytes");
        var sectors = disk.Length / sectorSize;
        var entrySectors = EntryCount * EntrySize / sectorSize;
        var firstUsable = 2 + entrySectors;
        var lastUsable = sectors - 2 - entrySectors;
        if (lastUsable < firstUsable) throw new ArgumentException($"a disk of {disk.Length} bytes is too small for a partition table", nameof(disk));

        var entries = new byte[EntryCount * EntrySize];
        foreach (var partition in partitions)
        {
            if (partition.Number is < 1 or > EntryCount || partition.Type is not { } type)
                throw new ArgumentException($"partition {partition.Number} has no place or no type in a GPT", nameof(partitions));
            if (partition.Offset % sectorSize != 0 || partition.Length % sectorSize != 0 || partition.Length <= 0
                || partition.Offset / sectorSize < firstUsable || partition.End / sectorSize > lastUsable + 1)
                throw new ArgumentException($"partition {partition.Number} is not on sectors between {firstUsable} and {lastUsable}", nameof(partitions));
            if (partition.Name.Length > 36) throw new ArgumentException($"'{partition.Name}' is longer than 36 characters", nameof(partitions));
            var entry = entries.AsSpan((partition.Number - 1) * EntrySize, EntrySize);
            type.TryWriteBytes(entry);
            partition.Id.TryWriteBytes(entry[16..]);
            BinaryPrimitives.WriteInt64LittleEndian(entry[32..], partition.Offset / sectorSize);
            BinaryPrimitives.WriteInt64LittleEndian(entry[40..], partition.End / sectorSize - 1);
            Encoding.Unicode.GetBytes(partition.Name, entry[56..]);
        }

        var header = new Header(diskId, firstUsable, lastUsable, Crc32.HashToUInt32(entries), sectorSize);
        await disk.WriteAsync(0, ProtectiveMbr(sectors, sectorSize), cancellation);
        await disk.WriteAsync(sectorSize, header.Bytes(at: 1, other: sectors - 1, entriesAt: 2), cancellation);
        await disk.WriteAsync(2L * sectorSize, entries, cancellation);
        await disk.WriteAsync((lastUsable + 1) * sectorSize, entries, cancellation);
        await disk.WriteAsync((sectors - 1) * sectorSize, header.Bytes(at: sectors - 1, other: 1, entriesAt: lastUsable + 1), cancellation);
    }

    // UEFI §5.2.3: one entry of type EE over the whole disk, so that old tools see no free space.
    private static byte[] ProtectiveMbr(long sectors, int sectorSize)
    {
        var mbr = new byte[sectorSize];
        ReadOnlySpan<byte> entry = [0x00, 0x00, 0x02, 0x00, 0xEE, 0xFF, 0xFF, 0xFF, 0x01, 0x00, 0x00, 0x00];
        entry.CopyTo(mbr.AsSpan(446));
        BinaryPrimitives.WriteUInt32LittleEndian(mbr.AsSpan(458), (uint)Math.Min(sectors - 1, uint.MaxValue));
        mbr[510] = 0x55;
        mbr[511] = 0xAA;
        return mbr;
    }

    private sealed record Header(Guid DiskId, long FirstUsable, long LastUsable, uint EntriesCrc, int SectorSize)
    {
        public byte[] Bytes(long at, long other, long entriesAt)
        {
            var header = new byte[SectorSize];
            "EFI PART"u8.CopyTo(header);
            BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(8), 0x00010000);
            BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(12), 92);
            BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(24), at);
            BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(32), other);
            BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(40), FirstUsable);
            BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(48), LastUsable);
            DiskId.TryWriteBytes(header.AsSpan(56));
            BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(72), entriesAt);
            BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(80), EntryCount);
            BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(84), EntrySize);
            BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(88), EntriesCrc);
            BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(16), Crc32.HashToUInt32(header.AsSpan(0, 92)));
            return header;
        }
    }
}
