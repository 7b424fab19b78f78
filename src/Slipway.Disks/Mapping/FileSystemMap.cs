using Slipway.Disks.FileSystems;
using Slipway.Disks.Partitions;

namespace Slipway.Disks.Mapping;

/// <summary>Walks one file system's tree and adds a range per file extent, with the file system's own space between them.</summary>
internal sealed class FileSystemMap(List<DiskMap.Range> ranges)
{
    // Beyond these the rest of a volume has no names in the map: a bound for disks made to hurt, and for very large ones.
    private const int MostEntries = 200_000;
    private const int MostExtents = 1_000_000;
    private const int MostDepth = 64;

    private readonly List<DiskMap.Range> _found = [];
    private readonly HashSet<ulong> _visited = [];
    private int _entries;

    public async ValueTask AddAsync(IBlockDevice disk, long start, long length, Partition? partition, CancellationToken cancellation)
    {
        IFileSystem? fileSystem = null;
        try
        {
            fileSystem = await FileSystem.DetectAsync(new(disk, start, length), cancellation);
            if (fileSystem is not null) await WalkAsync(fileSystem, fileSystem.Root, "/", 0, partition, cancellation);
        }
        catch (DiskFormatException)
        {
            // What was found until the damage is good enough to name places.
        }
        var own = fileSystem is null
            ? new DiskPlace(DiskPlaceKind.Unknown, partition, null, null)
            : new DiskPlace(DiskPlaceKind.FileSystem, partition, fileSystem.Kind, null);
        var at = start;
        foreach (var range in _found.OrderBy(r => r.Start))
        {
            if (range.End <= at || range.Start < start || range.End > start + length) continue;
            if (range.Start > at) ranges.Add(new(at, range.Start, own));
            // What files share (XFS) has the first one's name.
            ranges.Add(range with { Start = Math.Max(at, range.Start) });
            at = range.End;
        }
        if (at < start + length && (partition is not null || fileSystem is not null)) ranges.Add(new(at, start + length, own));
    }

    private async ValueTask WalkAsync(IFileSystem fileSystem, FileEntry entry, string path, int depth, Partition? partition, CancellationToken cancellation)
    {
        if (++_entries > MostEntries || _found.Count > MostExtents || depth > MostDepth) return;
        if (entry.Kind == FileKind.Directory && !_visited.Add(entry.Node)) return;
        try
        {
            var kind = entry.Kind == FileKind.Directory ? DiskPlaceKind.Directory : DiskPlaceKind.File;
            var place = new DiskPlace(kind, partition, fileSystem.Kind, path);
            foreach (var extent in await fileSystem.GetExtentsAsync(entry, cancellation))
                _found.Add(new(extent.DiskOffset, extent.DiskOffset + extent.Length, place));
            if (entry.Kind != FileKind.Directory) return;
            foreach (var child in await fileSystem.ListAsync(entry, cancellation))
                await WalkAsync(fileSystem, child, path.TrimEnd('/') + "/" + child.Name, depth + 1, partition, cancellation);
        }
        catch (DiskFormatException)
        {
            // One damaged file or directory; its siblings still have names.
        }
    }
}
