using System.Buffers.Binary;
using Slipway.Disks;
using Slipway.Volumes.Qcow2.Checking;
using Slipway.Volumes.Qcow2.Files;
using Slipway.Volumes.Qcow2.Headers;
using Slipway.Volumes.Qcow2.Tables;

namespace Slipway.Volumes.Qcow2.Refcounts;

/// <summary>The reference counts in the file ("Host cluster management"): a table of blocks of counts of 16 bits, each of which takes a cluster itself.</summary>
internal sealed class Qcow2RefcountTable(IImageFile file, Qcow2Header header, Qcow2Marks marks)
{
    // QEMU opens no larger table: QCOW_MAX_REFTABLE_SIZE.
    private const int MostTableBytes = 8 << 20;
    private readonly int _perBlock = header.ClusterSize / 2;
    private (long Offset, int Clusters) _table = (header.RefcountTableOffset, header.RefcountTableClusters);
    private long[] _blocks = [];

    /// <summary>How many blocks the table has room for.</summary>
    public int Blocks => _blocks.Length;

    /// <summary>What the table and its blocks take.</summary>
    public IEnumerable<(string What, long Offset)> Clusters =>
    [
        .. Enumerable.Range(0, _table.Clusters).Select(c => ("the refcount table", _table.Offset + ((long)c << header.ClusterBits))),
        .. _blocks.Where(b => b != 0).Select(b => ("a refcount block", b)),
    ];

    public async ValueTask LoadAsync(CancellationToken cancellation)
    {
        var table = await Qcow2Tables.ReadTableAsync(file, _table.Offset, (_table.Clusters << header.ClusterBits) / 8, cancellation);
        _blocks = new long[table.Length];
        for (var i = 0; i < _blocks.Length; i++)
        {
            if (table[i] % (ulong)header.ClusterSize != 0 || table[i] >= (ulong)file.Length)
                throw await marks.CorruptAsync($"refcount block {i} is at {table[i]}, which is no place for it in the file's {file.Length} bytes");
            _blocks[i] = (long)table[i];
        }
    }

    /// <summary>Reads a block as the file has it; false where there is none, and all that it would count is free.</summary>
    public async ValueTask<bool> TryReadBlockAsync(int block, Memory<byte> counts, CancellationToken cancellation)
    {
        if (_blocks[block] == 0) return false;
        await file.ReadAsync(_blocks[block], counts, cancellation);
        return true;
    }

    public async ValueTask<int> GetAsync(long cluster, CancellationToken cancellation)
    {
        var index = cluster / _perBlock;
        if (index >= _blocks.Length || _blocks[index] == 0) return 0;
        var bytes = new byte[2];
        await file.ReadAsync(_blocks[index] + cluster % _perBlock * 2, bytes, cancellation);
        return BinaryPrimitives.ReadUInt16BigEndian(bytes);
    }

    /// <summary>Writes the same count for clusters that follow one another.</summary>
    public async ValueTask SetAsync(long first, long clusters, int count, CancellationToken cancellation)
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

    /// <summary>Makes sure that the cluster at the file's end can be counted.</summary>
    /// <returns>How many clusters from there on a new block, or a larger table, took; and those of the old table, which are counted still.</returns>
    public async ValueTask<(long Used, (long First, long Count) Freed)> MakeRoomAsync(long end, CancellationToken cancellation)
    {
        var index = end / _perBlock;
        if (index >= _blocks.Length) return await GrowAsync(end, cancellation);
        if (_blocks[index] != 0) return default;
        var offset = end << header.ClusterBits;
        await WriteBlockAsync(offset, (int)(end % _perBlock), 1, cancellation);
        var entry = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(entry, offset);
        await file.WriteAsync(_table.Offset + index * 8L, entry, cancellation);
        _blocks[index] = offset;
        return (1, default);
    }

    /// <summary>
    /// A table of twice the size, at the end, and behind it the blocks that count both. The header leads there once all of
    /// it is on the medium; then the old table is free.
    /// </summary>
    private async ValueTask<(long Used, (long First, long Count) Freed)> GrowAsync(long end, CancellationToken cancellation)
    {
        var old = _table;
        var clusters = old.Clusters * 2;
        if ((long)clusters << header.ClusterBits > MostTableBytes)
            throw new BlockDeviceException(BlockDeviceError.NoSpace, $"qcow2: no refcount table has room for cluster {end}: convert the image to larger clusters");
        var firstBlock = end / _perBlock;
        var blocks = 1;
        while ((end + clusters + blocks - 1) / _perBlock >= firstBlock + blocks) blocks++;
        var grown = new long[(clusters << header.ClusterBits) / 8];
        _blocks.CopyTo(grown, 0);
        var at = (end + clusters) << header.ClusterBits;
        var used = end + clusters + blocks;
        for (var block = firstBlock; block < firstBlock + blocks; block++, at += header.ClusterSize)
        {
            var from = Math.Max(end, block * _perBlock);
            await WriteBlockAsync(at, (int)(from % _perBlock), (int)(Math.Min(used, (block + 1) * _perBlock) - from), cancellation);
            grown[block] = at;
        }
        var bytes = new byte[clusters << header.ClusterBits];
        for (var i = 0; i < grown.Length; i++) BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(i * 8), grown[i]);
        var offset = end << header.ClusterBits;
        await file.WriteAsync(offset, bytes, cancellation);
        await file.FlushAsync(cancellation);
        await Qcow2Repair.WriteTablePlaceAsync(file, offset, clusters, cancellation);
        await file.FlushAsync(cancellation);
        (_table, _blocks) = ((offset, clusters), grown);
        return (used - end, (old.Offset >> header.ClusterBits, old.Clusters));
    }

    private ValueTask WriteBlockAsync(long offset, int first, int count, CancellationToken cancellation)
    {
        var counts = new byte[header.ClusterSize];
        for (var i = first; i < first + count; i++) BinaryPrimitives.WriteUInt16BigEndian(counts.AsSpan(i * 2), 1);
        return file.WriteAsync(offset, counts, cancellation);
    }
}
