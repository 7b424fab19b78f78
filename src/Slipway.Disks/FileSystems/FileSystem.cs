using System.Runtime.CompilerServices;
using Slipway.Disks.Ext;
using Slipway.Disks.Fat;
using Slipway.Disks.Iso;
using Slipway.Disks.Partitions;
using Slipway.Disks.Xfs;

namespace Slipway.Disks.FileSystems;

/// <summary>Opens whatever file system a part of a disk holds.</summary>
public static class FileSystem
{
    /// <summary>Those that are known, for people.</summary>
    public const string Kinds = "FAT, ext2, ext3, ext4, XFS, ISO 9660";

    /// <summary>The file system in a region, or null where none is known there.</summary>
    public static async ValueTask<IFileSystem?> DetectAsync(DiskRegion region, CancellationToken cancellation = default) =>
        await ExtVolume.TryOpenAsync(region, cancellation) is { } ext ? ext
        : await XfsVolume.TryOpenAsync(region, cancellation) is { } xfs ? xfs
        // Before FAT: a hybrid image may begin with what looks like one.
        : await IsoVolume.TryOpenAsync(region, cancellation) is { } iso ? iso
        : await FatVolume.TryOpenAsync(region, cancellation);

    /// <summary>The partitions that hold a file system that is known, in the table's order.</summary>
    public static async IAsyncEnumerable<(Partition Partition, IFileSystem FileSystem)> InPartitionsAsync(
        IBlockDevice disk, PartitionTable table, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        foreach (var partition in table.Partitions)
        {
            if (await DetectAsync(new DiskRegion(disk, partition.Offset, partition.Length), cancellation) is { } fileSystem)
                yield return (partition, fileSystem);
        }
    }
}
