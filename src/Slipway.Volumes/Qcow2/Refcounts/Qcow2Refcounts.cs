using Slipway.Volumes.Qcow2.Checking;
using Slipway.Volumes.Qcow2.Files;
using Slipway.Volumes.Qcow2.Headers;
using Slipway.Volumes.Qcow2.Tables;

namespace Slipway.Volumes.Qcow2.Refcounts;

/// <summary>
/// Gives clusters of the file out, and takes them back. Free ones are found once, by reading all counts at the first allocation; later
/// the list is kept. Clusters are counted as used some ahead of their use, so that most allocations write nothing; what
/// is left of those goes back when the image is closed. Callers hold the image's metadata lock.
/// </summary>
/// <remarks>
/// Counts change only while the image is marked dirty: whoever opens it after a cut counts anew
/// (<see cref="Qcow2Repair"/>), so no count has to wait for another.
/// </remarks>
internal sealed class Qcow2Refcounts(IImageFile file, Qcow2Header header, Qcow2Tables tables, Qcow2Marks marks)
{
    private const int ClustersAhead = 64;
    private readonly Queue<(long First, long Count)> _free = [];
    private readonly Qcow2RefcountTable _counts = new(file, header, marks);
    private readonly int _perBlock = header.ClusterSize / 2;
    private (long First, long Count) _ahead;
    private (long First, long Count) _freed;
    private long _end;
    private bool _ready;

    /// <summary>Takes one cluster; it is counted.</summary>
    public async ValueTask<long> AllocateAsync(CancellationToken cancellation)
    {
        if (_ahead.Count == 0) await TakeAheadAsync(cancellation);
        var cluster = _ahead.First;
        _ahead = (cluster + 1, _ahead.Count - 1);
        return cluster << header.ClusterBits;
    }

    /// <summary>Takes clusters that follow one another, at the file's end; they are counted, and were never written.</summary>
    public async ValueTask<long> AllocateManyAsync(long clusters, CancellationToken cancellation)
    {
        await PrepareAsync(cancellation);
        while (true)
        {
            var first = _end;
            var counted = new List<(long First, long Count)>();
            var whole = false;
            try
            {
                while (_end < first + clusters)
                {
                    // A block of counts may come between: then begin again behind it.
                    if (await AddBlockAsync(cancellation)) break;
                    var count = Math.Min(first + clusters - _end, _perBlock - _end % _perBlock);
                    await _counts.SetAsync(_end, count, 1, cancellation);
                    counted.Add((_end, count));
                    _end += count;
                }
                whole = _end == first + clusters;
            }
            finally
            {
                foreach (var run in whole ? [] : counted)
                {
                    await _counts.SetAsync(run.First, run.Count, 0, cancellation);
                    _free.Enqueue(run);
                }
            }
            if (whole) return first << header.ClusterBits;
        }
    }

    /// <summary>
    /// Takes one use away from each cluster that a range of the file touches; nothing on the medium points there any more.
    /// A cluster without a use is given back to the host.
    /// </summary>
    public async ValueTask ReleaseAsync(long offset, long length, CancellationToken cancellation)
    {
        await PrepareAsync(cancellation);
        for (var cluster = offset >> header.ClusterBits; cluster <= (offset + length - 1) >> header.ClusterBits; cluster++)
        {
            var count = await _counts.GetAsync(cluster, cancellation);
            if (count == 0) throw await marks.CorruptAsync($"cluster {cluster} is released, but counted as free");
            await _counts.SetAsync(cluster, 1, count - 1, cancellation);
            if (count > 1) continue;
            _free.Enqueue((cluster, 1));
            if (_freed.First + _freed.Count == cluster) _freed.Count++;
            else
            {
                DiscardFreed();
                _freed = (cluster, 1);
            }
        }
    }

    /// <summary>Makes holes of what was released since the last call. Before the metadata lock is left: the next one may take it.</summary>
    public void DiscardFreed()
    {
        if (_freed.Count > 0) file.Discard(_freed.First << header.ClusterBits, _freed.Count << header.ClusterBits);
        _freed = default;
    }

    /// <summary>Gives back what was counted ahead of its use.</summary>
    public async ValueTask ReturnAheadAsync(CancellationToken cancellation)
    {
        if (_ahead.Count == 0) return;
        await _counts.SetAsync(_ahead.First, _ahead.Count, 0, cancellation);
        _free.Enqueue(_ahead);
        _ahead = default;
    }

    private async ValueTask TakeAheadAsync(CancellationToken cancellation)
    {
        await PrepareAsync(cancellation);
        if (_free.TryPeek(out var run))
        {
            // One write of one block.
            var count = Math.Min(Math.Min(ClustersAhead, run.Count), _perBlock - run.First % _perBlock);
            await _counts.SetAsync(run.First, count, 1, cancellation);
            _free.Dequeue();
            if (run.Count > count) _free.Enqueue((run.First + count, run.Count - count));
            _ahead = (run.First, count);
            return;
        }
        while (await AddBlockAsync(cancellation))
        {
        }
        var ahead = Math.Min(ClustersAhead, _perBlock - _end % _perBlock);
        await _counts.SetAsync(_end, ahead, 1, cancellation);
        _ahead = (_end, ahead);
        _end += ahead;
    }

    private async ValueTask PrepareAsync(CancellationToken cancellation)
    {
        await marks.MarkDirtyAsync(cancellation);
        if (_ready) return;
        await _counts.LoadAsync(cancellation);
        _end = (file.Length + header.ClusterSize - 1) >> header.ClusterBits;
        await FindFreeAsync(cancellation);
        foreach (var (what, offset) in Metadata())
        {
            if (await _counts.GetAsync(offset >> header.ClusterBits, cancellation) == 0) throw await marks.CorruptAsync($"{what} at {offset} is counted as free");
        }
        _ready = true;
    }

    /// <summary>What must never be given out: a wrong count there would destroy the image with the next write.</summary>
    private IEnumerable<(string What, long Offset)> Metadata()
    {
        yield return ("the header", 0);
        for (var at = 0L; at < header.L1Entries * 8L; at += header.ClusterSize) yield return ("the L1 table", header.L1Offset + at);
        foreach (var (what, offset) in _counts.Clusters) yield return (what, offset);
        foreach (var offset in tables.TableOffsets) yield return ("an L2 table", offset);
    }

    private async ValueTask FindFreeAsync(CancellationToken cancellation)
    {
        var counts = new byte[header.ClusterSize];
        var clusters = _end;
        for (var i = 0; i < _counts.Blocks; i++)
        {
            if (!await _counts.TryReadBlockAsync(i, counts, cancellation)) continue;
            var first = (long)i * _perBlock;
            long runStart = -1;
            for (var n = 0; n < _perBlock; n++)
            {
                var free = counts[n * 2] == 0 && counts[n * 2 + 1] == 0;
                // A cluster that is counted lies in the file, or will: never give it out twice.
                if (!free) _end = Math.Max(_end, first + n + 1);
                if (_end > clusters + _perBlock) throw await marks.CorruptAsync($"cluster {first + n} is counted as used, far past the file's end");
                if (free && first + n < clusters && runStart < 0) runStart = first + n;
                if ((!free || n == _perBlock - 1 || first + n >= clusters - 1) && runStart >= 0)
                {
                    _free.Enqueue((runStart, (free && first + n < clusters ? first + n + 1 : first + n) - runStart));
                    runStart = -1;
                }
            }
        }
    }

    /// <summary>Makes sure that the cluster at the end can be counted; true where that took it for what counts.</summary>
    private async ValueTask<bool> AddBlockAsync(CancellationToken cancellation)
    {
        var (used, freed) = await _counts.MakeRoomAsync(_end, cancellation);
        _end += used;
        if (freed.Count > 0)
        {
            await _counts.SetAsync(freed.First, freed.Count, 0, cancellation);
            _free.Enqueue(freed);
        }
        return used > 0;
    }
}
