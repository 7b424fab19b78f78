using Slipway.Disks.Iso;
using Slipway.Disks.Partitions;

namespace Slipway.Disks.Mapping;

/// <summary>
/// Tells what lies at a place of a disk: the partition table, a partition, a file. The map is built from the disk's
/// content at the first question and kept; each later one is a binary search and completes at once. A damaged disk has
/// a smaller map, never an error: only what the medium itself refuses is thrown. Calls may overlap.
/// </summary>
public sealed class DiskMap(IBlockDevice disk) : IDisposable
{
    private readonly SemaphoreSlim _building = new(1, 1);
    private Range[]? _ranges;

    /// <summary>What holds the byte at <paramref name="offset"/>.</summary>
    public ValueTask<DiskPlace> LocateAsync(long offset, CancellationToken cancellation = default) =>
        Volatile.Read(ref _ranges) is { } ranges ? ValueTask.FromResult(Find(ranges, offset)) : BuildAndLocateAsync(offset, cancellation);

    /// <summary>The places that a range touches, in the order of the disk, each once.</summary>
    public async ValueTask<IReadOnlyList<DiskPlace>> LocateAsync(long offset, long length, CancellationToken cancellation = default)
    {
        var ranges = _ranges ?? await BuildAsync(cancellation);
        var places = new List<DiskPlace>();
        var index = IndexOf(ranges, offset);
        for (; index < ranges.Length && (index < 0 || ranges[index].Start < offset + length); index++)
        {
            if (index >= 0 && ranges[index].End > offset && !places.Contains(ranges[index].Place)) places.Add(ranges[index].Place);
        }
        return places;
    }

    /// <summary>Forgets the map: the next question reads the disk again.</summary>
    public void Invalidate() => Volatile.Write(ref _ranges, null);

    public void Dispose() => _building.Dispose();

    private async ValueTask<DiskPlace> BuildAndLocateAsync(long offset, CancellationToken cancellation) =>
        Find(await BuildAsync(cancellation), offset);

    private static DiskPlace Find(Range[] ranges, long offset)
    {
        var index = IndexOf(ranges, offset);
        return index >= 0 && ranges[index].End > offset ? ranges[index].Place : DiskPlace.Unknown;
    }

    /// <summary>The last range that starts at or before an offset, or -1. Ranges do not overlap.</summary>
    private static int IndexOf(Range[] ranges, long offset)
    {
        int low = 0, high = ranges.Length - 1;
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (ranges[middle].Start <= offset) low = middle + 1;
            else high = middle - 1;
        }
        return high;
    }

    private async ValueTask<Range[]> BuildAsync(CancellationToken cancellation)
    {
        await _building.WaitAsync(cancellation);
        try
        {
            if (_ranges is { } built) return built;
            var ranges = new List<Range>();
            var table = await PartitionTable.ReadAsync(disk, cancellation);
            // A hybrid ISO image has a partition table too, for those who take it for a disk.
            if (table.Kind == PartitionTableKind.None || await IsoVolume.TryOpenAsync(DiskRegion.Whole(disk), cancellation) is not null)
                await new FileSystemMap(ranges).AddAsync(disk, 0, disk.Length, null, cancellation);
            else await AddPartitionsAsync(table, ranges, cancellation);
            var finished = ranges.ToArray();
            Volatile.Write(ref _ranges, finished);
            return finished;
        }
        finally
        {
            _building.Release();
        }
    }

    private async ValueTask AddPartitionsAsync(PartitionTable table, List<Range> ranges, CancellationToken cancellation)
    {
        var tablePlace = new DiskPlace(DiskPlaceKind.PartitionTable, null, null, null);
        var first = table.Partitions.Count > 0 ? table.Partitions[0].Offset : disk.Length;
        ranges.Add(new(0, Math.Min(table.HeaderBytes, first), tablePlace));
        var end = table.HeaderBytes;
        foreach (var partition in table.Partitions)
        {
            // Partitions that overlap are damage; the first one wins.
            if (partition.Offset < end) continue;
            await new FileSystemMap(ranges).AddAsync(disk, partition.Offset, partition.Length, partition, cancellation);
            end = partition.End;
        }
        if (table.Kind == PartitionTableKind.Gpt)
        {
            var backup = Math.Max(end, disk.Length - GptWriter.Overhead(table.SectorSize) + table.SectorSize);
            if (backup < disk.Length) ranges.Add(new(backup, disk.Length, tablePlace));
        }
    }

    internal readonly record struct Range(long Start, long End, DiskPlace Place);
}
