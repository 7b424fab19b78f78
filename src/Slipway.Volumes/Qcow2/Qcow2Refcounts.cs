using System.Buffers.Binary;
using Slipway.Disks;

namespace Slipway.Volumes.Qcow2;

/// <summary>
/// Which clusters of the file are in use. Free ones are found once, by reading all counts at the first allocation; later
/// the list is kept. Callers hold the image's metadata lock.
/// </summary>
/// <remarks>
/// Order on the medium: a count goes up before anything points to its cluster, and comes down after nothing does. A cut
/// in between leaves a cluster that nobody uses, which wastes space and hurts nobody.
/// </remarks>
internal sealed class Qcow2Refcounts(IImageFile file, Qcow2Header header)
{
    private readonly Queue<(long First, long Count)> _free = [];
    private readonly int _perBlock = header.ClusterSize / 2;
    private (long First, long Count) _freed;
    private long[] _blocks = [];
    private long _end;
    private bool _ready;

    /// <summary>Takes one cluster; its count is in the file when this returns.</summary>
    public async ValueTask<long> AllocateAsync(CancellationToken cancellation)
    {
        await PrepareAsync(cancellation);
        if (_free.TryPeek(out var run))
        {
            _free.Dequeue();
            if (run.Count > 1) _free.Enqueue((run.First + 1, run.Count - 1));
            await SetAsync(run.First, 1, cancellation);
            return run.First << header.ClusterBits;
        }
        await AddBlocksAsync(cancellation);
        var cluster = _end;
        await SetAsync(cluster, 1, cancellation);
        _end++;
        return cluster << header.ClusterBits;
    }

    /// <summary>Takes clusters that follow one another, at the file's end; their counts are in the file when this returns.</summary>
    public async ValueTask<long> AllocateManyAsync(long clusters, CancellationToken cancellation)
    {
        await PrepareAsync(cancellation);
        while (true)
        {
            var first = _end;
            for (var cluster = first; cluster < first + clusters; cluster++)
            {
                await AddBlocksAsync(cancellation);
                // A block of counts came between: begin again behind it.
                if (_end != cluster) break;
                await SetAsync(cluster, 1, cancellation);
                _end++;
            }
            if (_end == first + clusters) return first << header.ClusterBits;
            for (var cluster = first; cluster < _end; cluster++)
            {
                if (_blocks[cluster / _perBlock] == cluster << header.ClusterBits) continue;
                await SetAsync(cluster, 0, cancellation);
                _free.Enqueue((cluster, 1));
            }
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
            if (count == 0) throw new BlockDeviceException(BlockDeviceError.Corrupt, $"qcow2: cluster {cluster} is released, but counted as free");
            await SetAsync(cluster, count - 1, cancellation);
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

    private async ValueTask PrepareAsync(CancellationToken cancellation)
    {
        if (_ready) return;
        var table = new byte[(long)header.RefcountTableClusters << header.ClusterBits];
        await file.ReadAsync(header.RefcountTableOffset, table, cancellation);
        _blocks = new long[table.Length / 8];
        _end = (file.Length + header.ClusterSize - 1) >> header.ClusterBits;
        for (var i = 0; i < _blocks.Length; i++)
        {
            _blocks[i] = BinaryPrimitives.ReadInt64BigEndian(table.AsSpan(i * 8)) & ~511L;
            if (_blocks[i] < 0 || _blocks[i] % header.ClusterSize != 0 || _blocks[i] >= file.Length)
                throw new BlockDeviceException(BlockDeviceError.Corrupt, $"qcow2: refcount block {i} is at {_blocks[i]}, outside of the file");
        }
        await FindFreeAsync(cancellation);
        _ready = true;
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
                if (_end > clusters + _perBlock)
                    throw new BlockDeviceException(BlockDeviceError.Corrupt, $"qcow2: cluster {first + n} is counted as used, far past the file's end");
                if (free && first + n < clusters && runStart < 0) runStart = first + n;
                if ((!free || n == _perBlock - 1 || first + n >= clusters - 1) && runStart >= 0)
                {
                    _free.Enqueue((runStart, (free && first + n < clusters ? first + n + 1 : first + n) - runStart));
                    runStart = -1;
                }
            }
        }
    }

    private async ValueTask AddBlocksAsync(CancellationToken cancellation)
    {
        while (_blocks.Length > _end / _perBlock && _blocks[_end / _perBlock] == 0) await AddBlockAsync(cancellation);
        if (_end / _perBlock >= _blocks.Length)
            throw new BlockDeviceException(BlockDeviceError.NoSpace, $"qcow2: the refcount table has no room for cluster {_end}");
    }

    /// <summary>The next cluster becomes the block that counts it and those behind it; on the medium before the table says so.</summary>
    private async ValueTask AddBlockAsync(CancellationToken cancellation)
    {
        var index = (int)(_end / _perBlock);
        var offset = _end << header.ClusterBits;
        var counts = new byte[header.ClusterSize];
        BinaryPrimitives.WriteUInt16BigEndian(counts.AsSpan((int)(_end % _perBlock) * 2), 1);
        await file.WriteAsync(offset, counts, cancellation);
        await file.FlushAsync(cancellation);
        var entry = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(entry, offset);
        await file.WriteAsync(header.RefcountTableOffset + index * 8L, entry, cancellation);
        _blocks[index] = offset;
        _end++;
    }

    private async ValueTask<int> GetAsync(long cluster, CancellationToken cancellation)
    {
        var index = cluster / _perBlock;
        if (index >= _blocks.Length || _blocks[index] == 0) return 0;
        var bytes = new byte[2];
        await file.ReadAsync(_blocks[index] + cluster % _perBlock * 2, bytes, cancellation);
        return BinaryPrimitives.ReadUInt16BigEndian(bytes);
    }

    private ValueTask SetAsync(long cluster, int count, CancellationToken cancellation)
    {
        var bytes = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)count);
        return file.WriteAsync(_blocks[cluster / _perBlock] + cluster % _perBlock * 2, bytes, cancellation);
    }
}
