using System.Buffers;
using Slipway.Volumes.Qcow2.Files;
using Slipway.Volumes.Qcow2.Headers;
using Slipway.Volumes.Qcow2.Refcounts;
using Slipway.Volumes.Qcow2.Tables;

namespace Slipway.Volumes.Qcow2.Writing;

/// <summary>Writes into an image.</summary>
/// <remarks>
/// <para>A write into what is the image's own goes in place. Where a cluster has no place in the file it takes one, fills
/// the subclusters that are touched (what the guest does not write of them comes from below), and then the L2 entry says
/// so; in an image without subclusters that is all of the cluster. An acknowledged write must survive the death of the
/// process, so the change is in the journal (<see cref="Qcow2Journal"/>) before the answer leaves; and the entry must never
/// be on the medium before the bytes are, so it comes into the file's table behind a flush (<see cref="Qcow2Commits"/>).</para>
/// <para>A cluster that is given up is counted free only after another flush, when no entry on the medium can lead to it
/// and no write into it is under way.</para>
/// </remarks>
internal sealed class Qcow2Writer : IAsyncDisposable
{
    private readonly Qcow2Device _device;
    private readonly IImageFile _file;
    private readonly Qcow2Header _header;
    private readonly Qcow2Map _map;
    private readonly Qcow2Marks _marks;
    private readonly Qcow2Refcounts _refcounts;
    private readonly Qcow2Journal _journal;
    private readonly Qcow2Commits _commits;
    private readonly Qcow2Allocation _allocation;
    private readonly Qcow2Zeroing _zeroing;
    private readonly ClusterGate _gate = new();
    private int _inPlace;

    public Qcow2Writer(Qcow2Device device, IImageFile file, Qcow2Map map, Qcow2Tables tables, Qcow2Marks marks, SemaphoreSlim metadata)
    {
        (_device, _file, _header, _map, _marks) = (device, file, device.Header, map, marks);
        _refcounts = new(file, _header, tables, marks);
        _journal = new(file, _header, _refcounts);
        _commits = new(file, tables, _refcounts, _journal, metadata, () => Volatile.Read(ref _inPlace) == 0);
        _allocation = new(file, _header, tables, _refcounts, _commits, metadata);
        _zeroing = new(_header, map, _gate, _allocation, WriteClusterAsync);
    }

    public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation)
    {
        _marks.RequireSound();
        while (source.Length > 0)
        {
            var part = source[..Math.Min(source.Length, LeftOfCluster(offset))];
            if (!TryWriteInPlace(offset, part, out var write, cancellation)) return WriteClustersAsync(offset, source, cancellation);
            if (!write.IsCompletedSuccessfully) return WriteRestAsync(write, offset + part.Length, source[part.Length..], cancellation);
            source = source[part.Length..];
            offset += part.Length;
        }
        return ValueTask.CompletedTask;
    }

    public async ValueTask ZeroAsync(long offset, long length, CancellationToken cancellation)
    {
        _marks.RequireSound();
        while (length > 0)
        {
            var part = (int)Math.Min(length, LeftOfCluster(offset));
            await _zeroing.ZeroClusterAsync(offset, part, cancellation);
            offset += part;
            length -= part;
        }
    }

    public ValueTask FlushAsync(CancellationToken cancellation) => _commits.FlushAsync(cancellation);

    public async ValueTask DisposeAsync()
    {
        await _commits.FlushAsync(CancellationToken.None);
        await _commits.DisposeAsync();
        // What that freed, and what was counted ahead, has to be on the medium before the mark goes.
        await _journal.EndAsync();
        await _refcounts.ReturnAheadAsync(CancellationToken.None);
        if (_marks.IsDirty) await _file.FlushAsync();
        await _marks.ClearDirtyAsync(CancellationToken.None);
    }

    private int LeftOfCluster(long offset) => _header.ClusterSize - (int)(offset & (_header.ClusterSize - 1));

    /// <summary>Writes into a cluster that is the image's own, if what is in memory says that it is.</summary>
    private bool TryWriteInPlace(long offset, ReadOnlyMemory<byte> source, out ValueTask write, CancellationToken cancellation)
    {
        write = default;
        Interlocked.Increment(ref _inPlace);
        var left = true;
        try
        {
            if (!_map.TryLookup(offset, out var mapping, out var length) || length < source.Length || mapping is not { Kind: MappingKind.Data, Exclusive: true }) return false;
            write = _file.WriteAsync(_map.HostOffset(mapping, offset), source, cancellation);
            if (!write.IsCompleted)
            {
                left = false;
                write = LeaveAfterAsync(write);
            }
            return true;
        }
        finally
        {
            if (left) Interlocked.Decrement(ref _inPlace);
        }
    }

    private async ValueTask LeaveAfterAsync(ValueTask write)
    {
        try
        {
            await write;
        }
        finally
        {
            Interlocked.Decrement(ref _inPlace);
        }
    }

    private async ValueTask WriteRestAsync(ValueTask first, long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation)
    {
        await first;
        await WriteAsync(offset, source, cancellation);
    }

    // All at once: the clusters of one write share a flush.
    private async ValueTask WriteClustersAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation)
    {
        if (source.Length <= LeftOfCluster(offset))
        {
            await WriteClusterAsync(offset, source, cancellation);
            return;
        }
        var parts = new List<Task>();
        while (source.Length > 0)
        {
            var part = source[..Math.Min(source.Length, LeftOfCluster(offset))];
            parts.Add(WriteClusterAsync(offset, part, cancellation).AsTask());
            source = source[part.Length..];
            offset += part.Length;
        }
        await Task.WhenAll(parts);
    }

    private async ValueTask WriteClusterAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation)
    {
        if (TryWriteInPlace(offset, source, out var write, cancellation))
        {
            await write;
            return;
        }
        var cluster = offset >> _header.ClusterBits;
        await _gate.EnterAsync(cluster, cancellation);
        try
        {
            // Another writer may have been here first.
            var entry = await _map.EntryAsync(offset, cancellation);
            if (entry.HasCluster) await ExtendAsync(offset, source, entry, cancellation);
            else await ReplaceAsync(offset, source, entry, cancellation);
        }
        finally
        {
            _gate.Leave(cluster);
        }
    }

    /// <summary>Writes into a cluster that is the image's own, of which some subclusters may not be there yet.</summary>
    private async ValueTask ExtendAsync(long offset, ReadOnlyMemory<byte> source, L2Entry entry, CancellationToken cancellation)
    {
        var end = offset + source.Length;
        var touched = entry.WithData(_header.SubclustersOf(_header.SubclusterStart(offset), _header.SubclusterEnd(end)));
        // Others may be writing in place into what is there: only what is not there yet is filled.
        var from = IsThere(offset) ? offset : _header.SubclusterStart(offset);
        var to = IsThere(end - 1) ? end : _header.SubclusterEnd(end);
        await FillAsync(entry.HostOffset, from, to, offset, source, cancellation);
        if (touched != entry) await _allocation.ChangeAsync(offset, touched, default);

        bool IsThere(long place) => (entry.Allocated & _header.SubclustersOf(_header.SubclusterStart(place), _header.SubclusterEnd(place + 1))) != 0;
    }

    /// <summary>Writes into a cluster of the file that nothing leads to yet.</summary>
    private async ValueTask ReplaceAsync(long offset, ReadOnlyMemory<byte> source, L2Entry old, CancellationToken cancellation)
    {
        var cluster = offset >> _header.ClusterBits;
        var (from, to) = (_header.SubclusterStart(offset), _header.SubclusterEnd(offset + source.Length));
        // What is compressed, or not in a cluster of its own, moves as a whole.
        if (old.IsCompressed || old.HostOffset != 0) (from, to) = (cluster << _header.ClusterBits, (cluster + 1) << _header.ClusterBits);
        var host = await _allocation.AllocateAsync(cluster, cancellation);
        var filled = false;
        try
        {
            await FillAsync(host, from, to, offset, source, cancellation);
            filled = true;
        }
        finally
        {
            // Nothing leads to a cluster whose filling failed (no space, cancelled): it goes back.
            if (!filled) await _commits.ReturnAsync(host);
        }
        await _allocation.ChangeAsync(offset, (old with { Descriptor = (ulong)host | Mapping.Copied }).WithData(_header.SubclustersOf(from, to)), old.Cluster(_header));
    }

    /// <summary>Writes a stretch of one cluster of which the guest gave a part: the rest is what it shows until now, and zero past the disk's end.</summary>
    private async ValueTask FillAsync(long host, long from, long to, long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation)
    {
        var place = host + (from & (_header.ClusterSize - 1));
        if (to - from == source.Length)
        {
            await _file.WriteAsync(place, source, cancellation);
            return;
        }
        var buffer = ArrayPool<byte>.Shared.Rent((int)(to - from));
        try
        {
            var stretch = buffer.AsMemory(0, (int)(to - from));
            var there = (int)(Math.Min(to, _device.Length) - from);
            var (before, after) = ((int)(offset - from), (int)(offset - from) + source.Length);
            // Only what the guest does not write has to come from below.
            if (before > 0) await _device.ReadAsync(from, stretch[..before], cancellation);
            if (after < there) await _device.ReadAsync(from + after, stretch[after..there], cancellation);
            stretch.Span[there..].Clear();
            source.CopyTo(stretch[before..]);
            await _file.WriteAsync(place, stretch, cancellation);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
