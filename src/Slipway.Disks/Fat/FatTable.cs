using System.Buffers.Binary;

namespace Slipway.Disks.Fat;

/// <summary>The allocation table: follows chains of clusters, through a window that is read once and kept.</summary>
internal sealed class FatTable(DiskRegion region, FatGeometry geometry)
{
    private const int WindowSize = 64 * 1024;
    private const int MostWindows = 64;
    private readonly Dictionary<long, byte[]> _windows = [];

    /// <summary>The runs of clusters of a chain, at most <paramref name="most"/> clusters; a chain that breaks off or loops is refused.</summary>
    public async ValueTask<List<(uint First, uint Count)>> ChainAsync(uint first, long most, CancellationToken cancellation)
    {
        var runs = new List<(uint First, uint Count)>();
        long taken = 0;
        for (var cluster = first; taken < most; taken++)
        {
            if (!geometry.IsCluster(cluster)) throw new DiskFormatException($"FAT: a chain from cluster {first} leads to cluster {cluster} of {geometry.ClusterCount}");
            // No chain is longer than the volume: one that is goes round in a circle.
            if (taken > geometry.ClusterCount) throw new DiskFormatException($"FAT: the chain from cluster {first} never ends");
            if (runs.Count > 0 && runs[^1].First + runs[^1].Count == cluster) runs[^1] = (runs[^1].First, runs[^1].Count + 1);
            else runs.Add((cluster, 1));
            cluster = await NextAsync(cluster, cancellation);
            if (cluster >= geometry.EndOfChain) break;
        }
        return runs;
    }

    private async ValueTask<uint> NextAsync(uint cluster, CancellationToken cancellation)
    {
        // FAT12 entries are 12 bits wide and may lie across two windows: read both bytes one by one (§4.1).
        switch (geometry.Bits)
        {
            case 12:
                var at = cluster + cluster / 2L;
                var pair = (await WindowAsync(at, cancellation))[at % WindowSize] | (await WindowAsync(at + 1, cancellation))[(at + 1) % WindowSize] << 8;
                return (uint)((cluster & 1) != 0 ? pair >> 4 : pair & 0xFFF);
            case 16:
                return BinaryPrimitives.ReadUInt16LittleEndian((await WindowAsync(cluster * 2L, cancellation)).AsSpan((int)(cluster * 2L % WindowSize)));
            default:
                return BinaryPrimitives.ReadUInt32LittleEndian((await WindowAsync(cluster * 4L, cancellation)).AsSpan((int)(cluster * 4L % WindowSize))) & 0x0FFFFFFF;
        }
    }

    private async ValueTask<byte[]> WindowAsync(long offset, CancellationToken cancellation)
    {
        var start = offset / WindowSize * WindowSize;
        if (_windows.TryGetValue(start, out var window)) return window;
        if (_windows.Count >= MostWindows) _windows.Clear();
        window = new byte[WindowSize];
        var length = (int)Math.Min(WindowSize, geometry.FatLength - start);
        await region.ReadAsync(geometry.FatOffset + start, window.AsMemory(0, length), cancellation);
        return _windows[start] = window;
    }
}
