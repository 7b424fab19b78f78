using Slipway.Disks.Partitions;

namespace Slipway.Disks.Mapping;

/// <summary>What a byte of a disk belongs to.</summary>
public enum DiskPlaceKind
{
    /// <summary>No partition, or one whose file system is not known.</summary>
    Unknown,

    /// <summary>The MBR, the GPT or its backup.</summary>
    PartitionTable,

    /// <summary>The beginning of a disk that has neither a partition table nor a file system.</summary>
    NoPartitionTable,

    /// <summary>A file system's own: boot sector, tables, inodes, free space.</summary>
    FileSystem,
    Directory,
    File,
}

/// <summary>
/// The answer of <see cref="DiskMap"/>. <paramref name="Path"/> is absolute in its file system (<c>/vmlinuz</c>), null
/// where the place is no file's and no directory's.
/// </summary>
public sealed record DiskPlace(DiskPlaceKind Kind, Partition? Partition, string? FileSystem, string? Path)
{
    public static readonly DiskPlace Unknown = new(DiskPlaceKind.Unknown, null, null, null);

    /// <summary>As a person would say it: <c>partition 1 (EFI system): /EFI/BOOT/BOOTX64.EFI</c>.</summary>
    public override string ToString()
    {
        var where = Partition is null ? "" : $"partition {Partition.Number} ({(Partition.Name.Length > 0 ? Partition.Name : Partition.TypeName)})";
        var what = Kind switch
        {
            DiskPlaceKind.PartitionTable => "partition table",
            DiskPlaceKind.NoPartitionTable => "where a partition table would be",
            DiskPlaceKind.FileSystem => $"{FileSystem} file system",
            DiskPlaceKind.Directory or DiskPlaceKind.File => Path!,
            _ => Partition is null ? "outside of every partition" : "",
        };
        return where.Length == 0 ? what : what.Length == 0 ? where : $"{where}: {what}";
    }
}
