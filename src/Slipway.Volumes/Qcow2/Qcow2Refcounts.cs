using System.Buffers.Binary;
using Slipway.Disks;

namespace Slipway.Volumes.Qcow2;

/// <summary>
/// Which clusters of the file are in use. Free ones are found once, by reading all counts at the first allocation; later
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
    // QEMU opens no larger table: QCOW_MAX_REFTABLE_SIZE.
    private const int MostTableBytes = 8 << 20;
    private readonly Queue<(long First, long Count)> _free = [];
    private readonly int _perBlock = header.ClusterSize / 2;
    private (long Offset, int Clusters) _table = (header.RefcountTableOffset, header.RefcountTableClusters);
    private (long First, long Count) _ahead;
    private (long First, long Count) _freed;
    private long[] _blocks = [];
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
                    await SetAsync(_end, count, 1, cancellation);
                    counted.Add((_end, count));
                    _end += count;
                }
                whole = _end == first + clusters;
            }
            finally
            {
                foreach (var run in whole ? [] : counted)
                {
                    await SetAsync(run.First, run.Count, 0, cancellation);
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
            var count = await GetAsync(cluster, cancellation);
            if (count == 0) throw await marks.CorruptAsync($"cluster {cluster} is released, but counted as free");
            await SetAsync(cluster, 1, count - 1, cancellation);
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
        await SetAsync(_ahead.First, _ahead.Count, 0, cancellation);
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
            await SetAsync(run.First, count, 1, cancellation);
            _free.Dequeue();
            if (run.Count > count) _free.Enqueue((run.First + count, run.Count - count));
            _ahead = (run.First, count);
            return;
        }
        while (await AddBlockAsync(cancellation))
        {
        }
        var ahead = Math.Min(ClustersAhead, _perBlock - _end % _perBlock);
        await SetAsync(_end, ahead, 1, cancellation);
        _ahead = (_end, ahead);
        _end += ahead;
    }

    private async ValueTask PrepareAsync(CancellationToken cancellation)
    {
        await marks.MarkDirtyAsync(cancellation);
        if (_ready) return;
        var table = await Qcow2Tables.ReadTableAsync(file, _table.Offset, (_table.Clusters << header.ClusterBits) / 8, cancellation);
        _blocks = new long[table.Length];
        _end = (file.Length + header.ClusterSize - 1) >> header.ClusterBits;
        for (var i = 0; i < _blocks.Length; i++)
        {
            if (table[i] % (ulong)header.ClusterSize != 0 || table[i] >= (ulong)file.Length)
                throw await marks.CorruptAsync($"refcount block {i} is at {table[i]}, which is no place for it in the file's {file.Length} bytes");
            _blocks[i] = (long)table[i];
        }
        await FindFreeAsync(cancellation);
        foreach (var (what, offset) in Metadata())
        {
            if (await GetAsync(offset >> header.ClusterBits, cancellation) == 0) throw await marks.CorruptAsync($"{what} at {offset} is counted as free");
        }
        _ready = true;
    }

    /// <summary>What must never be given out: a wrong count there would destroy the image with the next write.</summary>
    private IEnumerable<(string What, long Offset)> Metadata()
    {
        yield return ("the header", 0);
        for (var at = 0L; at < header.L1Entries * 8L; at += header.ClusterSize) yield return ("the L1 table", header.L1Offset + at);
        for (var at = 0L; at < _table.Clusters; at++) yield return ("the refcount table", _table.Offset + (at << header.ClusterBits));
        foreach (var offset in _blocks.Where(b => b != 0)) yield return ("a refcount block", offset);
        foreach (var offset in tables.TableOffsets) yield return ("an L2 table", offset);
    }

    private async ValueTask FindFreeAsync(CancellationToken cancellation)
    {
        var counts = new byte[header.ClusterSize];
        var clusters = _end;
        for (var i = 0; i < _blocks.Length; i++)
        {
            if (_blocks[i] == 0) continue;
            await file.ReadAsync(_blocks[i], counts, cancellation);
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

    /// <summary>Makes sure that the cluster at the end can be counted; true where that took the cluster for a block of counts, or for a larger table of them.</summary>
    private async ValueTask<bool> AddBlockAsync(CancellationToken cancellation)
    {
        var index = _end / _perBlock;
        if (index >= _blocks.Length)
        {
            await GrowTableAsync(cancellation);
            return true;
        }
        if (_blocks[index] != 0) return false;
        var offset = _end << header.ClusterBits;
        await WriteBlockAsync(offset, (int)(_end % _perBlock), 1, cancellation);
        var entry = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(entry, offset);
        await file.WriteAsync(_table.Offset + index * 8L, entry, cancellation);
        _blocks[index] = offset;
        _end++;
        return true;
    }

    /// <summary>
    /// A table of twice the size, at the end, and behind it the blocks that count both. The header leads there once all of
    /// it is on the medium; then the old table is free.
    /// </summary>
    private async ValueTask GrowTableAsync(CancellationToken cancellation)
    {
        var old = _table;
        var clusters = old.Clusters * 2;
        if ((long)clusters << header.ClusterBits > MostTableBytes)
            throw new BlockDeviceException(BlockDeviceError.NoSpace, $"qcow2: no refcount table has room for cluster {_end}: convert the image to larger clusters");
        var firstBlock = _end / _perBlock;
        var blocks = 1;
        while ((_end + clusters + blocks - 1) / _perBlock >= firstBlock + blocks) blocks++;
        var grown = new long[(clusters << header.ClusterBits) / 8];
        _blocks.CopyTo(grown, 0);
        var at = (_end + clusters) << header.ClusterBits;
        var used = _end + clusters + blocks;
        for (var block = firstBlock; block < firstBlock + blocks; block++, at += header.ClusterSize)
        {
            var from = Math.Max(_end, block * _perBlock);
            await WriteBlockAsync(at, (int)(from % _perBlock), (int)(Math.Min(used, (block + 1) * _perBlock) - from), cancellation);
            grown[block] = at;
        }
        var bytes = new byte[clusters << header.ClusterBits];
        for (var i = 0; i < grown.Length; i++) BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(i * 8), grown[i]);
        var offset = _end << header.ClusterBits;
        await file.WriteAsync(offset, bytes, cancellation);
        await file.FlushAsync(cancellation);
        await Qcow2Repair.WriteTablePlaceAsync(file, offset, clusters, cancellation);
        await file.FlushAsync(cancellation);
        (_table, _blocks, _end) = ((offset, clusters), grown, used);
        await SetAsync(old.Offset >> header.ClusterBits, old.Clusters, 0, cancellation);
        _free.Enqueue((old.Offset >> header.ClusterBits, old.Clusters));
    }

    private ValueTask WriteBlockAsync(long offset, int first, int count, CancellationToken cancellation)
    {
        var counts = new byte[header.ClusterSize];
        for (var i = first; i < first + count; i++) BinaryPrimitives.WriteUInt16BigEndian(counts.AsSpan(i * 2), 1);
        return file.WriteAsync(offset, counts, cancellation);
    }

    private async ValueTask<int> GetAsync(long cluster, CancellationToken cancellation)
    {
        var index = cluster / _perBlock;
        if (index >= _blocks.Length || _blocks[index] == 0) return 0;
        var bytes = new byte[2];
        await file.ReadAsync(_blocks[index] + cluster % _perBlock * 2, bytes, cancellation);
        return BinaryPrimitives.ReadUInt16BigEndian(bytes);
    }

    /// <summary>Writes the same count for clusters that follow one another.</summary>
    private async ValueTask SetAsync(long first, long clusters, int count, CancellationToken cancellation)
    {
        while (clusters > 0)
        {
            var part = (int)Math.Min(clusters, _perBlock - first % _perBlock);
            var bytes = new byte[part * 2];
            for (var i = 0; i < part; i++) BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(i * 2), (ushort)count);
            await file.WriteAsync(_blocks[first / _perBlock] + first % _perBlock * 2, bytes, cancellation);
            first += part;
            clusters -= part;
        }
    }
}
