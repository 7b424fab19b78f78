using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace Slipway.Disks.Partitions;

/// <summary>
/// Reads a GUID partition table (UEFI §5.3). The primary header counts when its checksums hold, else the backup in the
/// disk's last sector does, as §5.3.2 asks.
/// </summary>
internal static class GptReader
{
    /// <summary>UEFI §5.3.1 asks for room for at least 128 entries; nobody writes more than 1024, and this bounds memory.</summary>
    private const int MostEntries = 1024;

    public static async ValueTask<PartitionTable?> ReadAsync(IBlockDevice disk, int sectorSize, CancellationToken cancellation)
    {
        if (disk.Length < 6L * sectorSize) return null;
        return await ReadAsync(disk, sectorSize, headerLba: 1, cancellation)
            ?? (await ReadAsync(disk, sectorSize, disk.Length / sectorSize - 1, cancellation) is { } backup ? backup with { UsedBackup = true } : null);
    }

    private static async ValueTask<PartitionTable?> ReadAsync(IBlockDevice disk, int sectorSize, long headerLba, CancellationToken cancellation)
    {
        var header = new byte[sectorSize];
        await disk.ReadAsync(headerLba * sectorSize, header, cancellation);
        if (!header.AsSpan().StartsWith("EFI PART"u8)) return null;

        // §5.3.2, table 5-5: HeaderSize is at least 92 and at most the logical block; the CRC is taken with its own field zero.
        var headerSize = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(12));
        if (headerSize < 92 || headerSize > sectorSize) return null;
        var headerCrc = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(16));
        header.AsSpan(16, 4).Clear();
        if (Crc32.HashToUInt32(header.AsSpan(0, (int)headerSize)) != headerCrc) return null;
        if (BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(24)) != headerLba) return null;

        var entriesLba = BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(72));
        var count = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(80));
        var entrySize = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(84));
        if (count > MostEntries || entrySize is < 128 or > 4096 || entrySize % 8 != 0) return null;
        var length = (int)(count * entrySize);
        var lastLba = disk.Length / sectorSize;
        if (entriesLba < 2 || entriesLba >= lastLba || length > disk.Length - entriesLba * sectorSize) return null;

        var entries = new byte[length];
        await disk.ReadAsync(entriesLba * sectorSize, entries, cancellation);
        if (Crc32.HashToUInt32(entries) != BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(88))) return null;

        var partitions = new List<Partition>();
        for (var i = 0; i < count; i++)
        {
            if (ReadEntry(entries.AsSpan((int)(i * entrySize), 128), i + 1, sectorSize, lastLba) is { } partition) partitions.Add(partition);
        }
        var firstUsable = BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(40));
        return new(PartitionTableKind.Gpt, sectorSize, [.. partitions.OrderBy(p => p.Offset)],
            HeaderBytes: Math.Clamp(firstUsable, 2, lastLba) * sectorSize);
    }

    private static Partition? ReadEntry(ReadOnlySpan<byte> entry, int number, int sectorSize, long sectors)
    {
        var type = new Guid(entry[..16]);
        var first = BinaryPrimitives.ReadInt64LittleEndian(entry[32..]);
        var last = BinaryPrimitives.ReadInt64LittleEndian(entry[40..]);
        if (type == Guid.Empty || first < 1 || last < first || last >= sectors) return null;
        var name = Encoding.Unicode.GetString(entry.Slice(56, 72));
        var end = name.IndexOf('\0', StringComparison.Ordinal);
        return new(number, type, 0, end < 0 ? name : name[..end], first * sectorSize, (last - first + 1) * sectorSize, new Guid(entry.Slice(16, 16)));
    }
}
