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
    // Of a disk with the largest sectors that there are.
    private const int FirstBlock = 4096;

    private readonly SemaphoreSlim _building = new(1, 1);
    private Range[]? _ranges;

    /// <summary>What holds the byte at <paramref name="offset"/>.</summary>
    public ValueTask<DiskPlace> LocateAsync(long offset, CancellationToken cancellation = default) =>
        Volatile.Read(ref _ranges) is { } ranges ? ValueTask.FromResult(Find(ranges, offset)) : BuildAndLocateAsync(offset, cancellation);

    /// <summary>What a read is after: the place that it begins in, and those that lie in it whole; what it only brushes is read ahead.</summary>
    public ValueTask VisitAsync(long offset, long length, Action<DiskPlace> visit, CancellationToken cancellation = default)
    {
        if (Volatile.Read(ref _ranges) is not { } ranges)
            return BuildAndVisitAsync(offset, length, visit, cancellation);
        Visit(ranges, offset, length, visit);
        return ValueTask.CompletedTask;
    }

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

    private async ValueTask BuildAndVisitAsync(long offset, long length, Action<DiskPlace> visit, CancellationToken cancellation) =>
        Visit(await BuildAsync(cancellation), offset, length, visit);

    private static void Visit(Range[] ranges, long offset, long length, Action<DiskPlace> visit)
    {
        visit(Find(ranges, offset));
        for (var index = IndexOf(ranges, offset) + 1; index < ranges.Length && ranges[index].End <= offset + length; index++)
            visit(ranges[index].Place);
    }

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
            if (ranges.Count == 0) ranges.Add(new(0, Math.Min(FirstBlock, disk.Length), new DiskPlace(DiskPlaceKind.NoPartitionTable, null, null, null)));
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
