using System.Buffers.Binary;

namespace Slipway.Disks.Partitions;

/// <summary>Reads a legacy MBR (UEFI §5.2) with its chain of extended partitions. Sectors are 512 bytes.</summary>
internal static class MbrReader
{
    private const int MostLogical = 60;

    public static async ValueTask<PartitionTable?> ReadAsync(IBlockDevice disk, CancellationToken cancellation)
    {
        var sector = new byte[512];
        await disk.ReadAsync(0, sector, cancellation);
        if (!IsTable(sector)) return null;

        var partitions = new List<Partition>();
        long extended = 0;
        for (var i = 0; i < 4; i++)
        {
            var entry = Entry(sector, i);
            if (entry.Type is 0x05 or 0x0F or 0x85) extended = entry.First;
            else if (Fits(disk, entry, 0)) partitions.Add(new(i + 1, null, entry.Type, "", entry.First * 512, entry.Count * 512));
        }

        // Each extended boot record holds one logical partition, relative to itself, and a link relative to the first one.
        var link = extended;
        for (var number = 5; link != 0 && number < 5 + MostLogical && link < disk.Length / 512; number++)
        {
            await disk.ReadAsync(link * 512, sector, cancellation);
            if (!IsTable(sector)) break;
            var logical = Entry(sector, 0);
            if (Fits(disk, logical, link)) partitions.Add(new(number, null, logical.Type, "", (link + logical.First) * 512, logical.Count * 512));
            var next = Entry(sector, 1);
            link = next.Type is 0x05 or 0x0F or 0x85 && next.First != 0 ? extended + next.First : 0;
        }
        return partitions.Count == 0 ? null : new(PartitionTableKind.Mbr, 512, [.. partitions.OrderBy(p => p.Offset)], HeaderBytes: 512);
    }

    private static (byte Boot, byte Type, long First, long Count) Entry(byte[] sector, int index)
    {
        var entry = sector.AsSpan(446 + 16 * index, 16);
        return (entry[0], entry[4], BinaryPrimitives.ReadUInt32LittleEndian(entry[8..]), BinaryPrimitives.ReadUInt32LittleEndian(entry[12..]));
    }

    // A FAT or NTFS boot sector has the same signature; there the bytes where a table would be are code, and the boot
    // indicators are not 00 or 80.
    private static bool IsTable(byte[] sector)
    {
        if (sector[510] != 0x55 || sector[511] != 0xAA) return false;
        for (var i = 0; i < 4; i++)
        {
            if ((Entry(sector, i).Boot & 0x7F) != 0) return false;
        }
        return true;
    }

    private static bool Fits(IBlockDevice disk, (byte Boot, byte Type, long First, long Count) entry, long start) =>
        entry is { Type: not 0, First: > 0, Count: > 0 } && start + entry.First + entry.Count <= disk.Length / 512;
}
