namespace Slipway.Disks.Partitions;

public enum PartitionTableKind
{
    /// <summary>No table: the disk is blank, or a file system covers all of it.</summary>
    None,
    Mbr,
    Gpt,
}

/// <summary>How a disk is divided. Partitions are ordered by where they start.</summary>
/// <param name="UsedBackup">The first GPT header was damaged and the one at the disk's end was read instead.</param>
/// <param name="HeaderBytes">Where the table ends: reads below this offset read the table.</param>
public sealed record PartitionTable(
    PartitionTableKind Kind, int SectorSize, IReadOnlyList<Partition> Partitions, bool UsedBackup = false, long HeaderBytes = 0)
{
    /// <summary>
    /// Reads the table of a disk with 512- or 4096-byte sectors: the sector size that a GPT was written for is where its
    /// header is found. A disk without a valid table has none; <see cref="DiskFormatException"/> is not thrown.
    /// </summary>
    public static async ValueTask<PartitionTable> ReadAsync(IBlockDevice disk, CancellationToken cancellation = default)
    {
        foreach (var sectorSize in (int[])[512, 4096])
        {
            if (await GptReader.ReadAsync(disk, sectorSize, cancellation) is { } gpt) return gpt;
        }
        return await MbrReader.ReadAsync(disk, cancellation) ?? new(PartitionTableKind.None, 512, []);
    }
}
