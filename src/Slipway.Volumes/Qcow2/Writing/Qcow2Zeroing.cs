using System.Buffers;
using Slipway.Volumes.Qcow2.Headers;
using Slipway.Volumes.Qcow2.Tables;

namespace Slipway.Volumes.Qcow2.Writing;

/// <summary>Lets a range read as zeroes: by the entry where it can say so, by writing them where it cannot.</summary>
/// <param name="write">Writes within one cluster.</param>
internal sealed class Qcow2Zeroing(
    Qcow2Header header, Qcow2Map map, ClusterGate gate, Qcow2Allocation allocation, Func<long, ReadOnlyMemory<byte>, CancellationToken, ValueTask> write)
{
    /// <summary>A range of one cluster.</summary>
    public async ValueTask ZeroClusterAsync(long offset, int length, CancellationToken cancellation)
    {
        var end = offset + length;
        // Subclusters that are covered as far as the disk goes; what is left of others before and behind them is written.
        var from = header.SubclusterEnd(offset);
        var to = end == header.Size ? header.SubclusterEnd(end) : header.SubclusterStart(end);
        if (from >= to || !await TryZeroSubclustersAsync(from, to, cancellation)) (from, to) = (end, end);
        if (from > offset) await ZeroPartAsync(offset, (int)(from - offset), cancellation);
        if (to < end) await ZeroPartAsync(to, (int)(end - to), cancellation);
    }

    /// <summary>Says of subclusters that they read as zeroes; false for some of a cluster that has none.</summary>
    private async ValueTask<bool> TryZeroSubclustersAsync(long from, long to, CancellationToken cancellation)
    {
        var cluster = from >> header.ClusterBits;
        await gate.EnterAsync(cluster, cancellation);
        try
        {
            var entry = await map.EntryAsync(from, cancellation);
            var zero = header.SubclustersOf(from, to);
            if (zero != L2Entry.All && !entry.HasCluster && (entry.IsCompressed || entry.HostOffset != 0)) return false;
            var zeroed = entry.WithZeroes(zero);
            if (zeroed == entry || (entry == default && header.BackingFile is null)) return true;
            cancellation.ThrowIfCancellationRequested();
            await allocation.ChangeAsync(from, zeroed, zeroed.HostOffset == 0 ? entry.Cluster(header) : default);
            return true;
        }
        finally
        {
            gate.Leave(cluster);
        }
    }

    private async ValueTask ZeroPartAsync(long offset, int length, CancellationToken cancellation)
    {
        var zeroes = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            zeroes.AsSpan(0, length).Clear();
            while (length > 0)
            {
                var (mapping, run) = await map.LookupAsync(offset, cancellation);
                run = Math.Min(run, length);
                if (mapping.Kind != MappingKind.Zero && (mapping.Kind != MappingKind.Unallocated || header.BackingFile is not null))
                    await write(offset, zeroes.AsMemory(0, run), cancellation);
                offset += run;
                length -= run;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(zeroes);
        }
    }
}
