using System.Buffers;

namespace Slipway.Volumes.Qcow2;

/// <summary>Writes into an image.</summary>
/// <remarks>
/// <para>A write into a cluster that is the image's own goes in place. Any other takes a new cluster, fills it (what the
/// guest does not write comes from below), and then points the L2 entry at it. An acknowledged write must survive the
/// death of the process, so the change is in the journal (<see cref="Qcow2Journal"/>) before the answer leaves; and the
/// entry must never be on the medium before the cluster is, so it comes into the file's table behind a flush
/// (<see cref="Qcow2Commits"/>).</para>
/// <para>A cluster that is given up is counted free only after another flush, when no entry on the medium can lead to it
/// and no write into it is under way.</para>
/// </remarks>
internal sealed class Qcow2Writer : IAsyncDisposable
{
    private readonly Qcow2Device _device;
    private readonly IImageFile _file;
    private readonly Qcow2Header _header;
    private readonly Qcow2Tables _tables;
    private readonly Qcow2Marks _marks;
    private readonly Qcow2Refcounts _refcounts;
    private readonly Qcow2Journal _journal;
    private readonly Qcow2Commits _commits;
    private readonly SemaphoreSlim _metadata;
    private readonly Dictionary<long, TaskCompletionSource> _busy = [];
    private int _inPlace;

    public Qcow2Writer(Qcow2Device device, IImageFile file, Qcow2Tables tables, Qcow2Marks marks, SemaphoreSlim metadata)
    {
        (_device, _file, _header, _tables, _marks, _metadata) = (device, file, device.Header, tables, marks, metadata);
        _refcounts = new(file, _header, tables, marks);
        _journal = new(file, _header, _refcounts);
        _commits = new(file, tables, _refcounts, _journal, metadata, () => Volatile.Read(ref _inPlace) == 0);
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
            var within = offset & (_header.ClusterSize - 1);
            var part = Math.Min(length, _header.ClusterSize - within);
            var whole = part == _header.ClusterSize || (within == 0 && offset + part == _device.Length);
            if (whole) await ZeroClusterAsync(offset, cancellation);
            else await ZeroPartAsync(offset, (int)part, cancellation);
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
            if (!_device.TryLookup(offset, out var mapping, out _) || mapping is not { Kind: MappingKind.Data, Exclusive: true }) return false;
            write = _file.WriteAsync(mapping.HostOffset + (offset & (_header.ClusterSize - 1)), source, cancellation);
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
        await EnterAsync(cluster, cancellation);
        try
        {
            // Another writer may have been here first.
            var (mapping, _) = await _device.LookupAsync(offset, cancellation);
            if (mapping is { Kind: MappingKind.Data, Exclusive: true })
                await _file.WriteAsync(mapping.HostOffset + (offset & (_header.ClusterSize - 1)), source, cancellation);
            else await ReplaceAsync(offset, source, mapping, cancellation);
        }
        finally
        {
            Leave(cluster);
        }
    }

    private async ValueTask ReplaceAsync(long offset, ReadOnlyMemory<byte> source, Mapping old, CancellationToken cancellation)
    {
        var start = offset & ~(_header.ClusterSize - 1L);
        var host = await AllocateAsync(start >> _header.ClusterBits, cancellation);
        var filled = false;
        try
        {
            if (source.Length == _header.ClusterSize) await _file.WriteAsync(host, source, cancellation);
            else await FillAsync(host, start, (int)(offset - start), source, cancellation);
            filled = true;
        }
        finally
        {
            // Nothing leads to a cluster whose filling failed (no space, cancelled): it goes back.
            if (!filled) await _commits.ReturnAsync(host);
        }
        await ChangeAsync(new(IsL1: false, start >> _header.ClusterBits, (ulong)host | Mapping.Copied, old));
    }

    /// <summary>Writes a whole cluster of which the guest gave a part: the rest is what lay there until now, and zero past the disk's end.</summary>
    private async ValueTask FillAsync(long host, long start, int within, ReadOnlyMemory<byte> source, CancellationToken cancellation)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(_header.ClusterSize);
        try
        {
            var cluster = buffer.AsMemory(0, _header.ClusterSize);
            var there = (int)Math.Min(_header.ClusterSize, _device.Length - start);
            // Only what the guest does not write has to come from below.
            var after = within + source.Length;
            if (within > 0) await _device.ReadAsync(start, cluster[..Math.Min(within, there)], cancellation);
            if (after < there) await _device.ReadAsync(start + after, cluster[after..there], cancellation);
            cluster.Span[there..].Clear();
            source.CopyTo(cluster[within..]);
            await _file.WriteAsync(host, cluster, cancellation);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>A new cluster, with the L2 table that will lead to it.</summary>
    private async ValueTask<long> AllocateAsync(long cluster, CancellationToken cancellation)
    {
        await _metadata.WaitAsync(cancellation);
        try
        {
            // Not cancelled from here on: half of it would be a cluster that nobody uses.
            await MakeTableAsync(cluster);
            return await _refcounts.AllocateAsync(CancellationToken.None);
        }
        finally
        {
            _metadata.Release();
        }
    }

    /// <summary>Points an L2 entry elsewhere, in a table that is made if there is none.</summary>
    private async ValueTask ChangeAsync(Qcow2Change change)
    {
        Qcow2Commits.Made made;
        await _metadata.WaitAsync();
        try
        {
            await MakeTableAsync(change.Index);
            made = await _commits.ChangeAsync(change);
        }
        finally
        {
            _metadata.Release();
        }
        await _commits.AcknowledgedAsync(made);
    }

    /// <summary>Makes the L2 table for a cluster where there is none. Under the metadata lock.</summary>
    private async ValueTask MakeTableAsync(long cluster)
    {
        var l1Index = _tables.L1IndexOf(cluster);
        if (_tables.HasTable(l1Index)) return;
        var table = await _refcounts.AllocateAsync(CancellationToken.None);
        var empty = false;
        try
        {
            await _file.WriteAsync(table, new byte[_header.ClusterSize]);
            empty = true;
        }
        finally
        {
            if (!empty) _commits.GiveUp(table);
        }
        await _commits.ChangeAsync(new(IsL1: true, l1Index, (ulong)table | Mapping.Copied));
    }

    private async ValueTask ZeroClusterAsync(long offset, CancellationToken cancellation)
    {
        var cluster = offset >> _header.ClusterBits;
        await EnterAsync(cluster, cancellation);
        try
        {
            var (mapping, _) = await _device.LookupAsync(offset, cancellation);
            if (mapping is { Kind: MappingKind.Zero, HostOffset: 0 } || (mapping.Kind == MappingKind.Unallocated && _header.BackingFile is null)) return;
            cancellation.ThrowIfCancellationRequested();
            await ChangeAsync(new(IsL1: false, cluster, Mapping.ZeroFlag, mapping));
        }
        finally
        {
            Leave(cluster);
        }
    }

    private async ValueTask ZeroPartAsync(long offset, int length, CancellationToken cancellation)
    {
        var (mapping, _) = await _device.LookupAsync(offset, cancellation);
        if (mapping.Kind == MappingKind.Zero || (mapping.Kind == MappingKind.Unallocated && _header.BackingFile is null)) return;
        var zeroes = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            zeroes.AsSpan(0, length).Clear();
            await WriteClusterAsync(offset, zeroes.AsMemory(0, length), cancellation);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(zeroes);
        }
    }

    /// <summary>One at a time changes where a cluster is.</summary>
    private async ValueTask EnterAsync(long cluster, CancellationToken cancellation)
    {
        while (true)
        {
            Task busy;
            lock (_busy)
            {
                if (!_busy.TryGetValue(cluster, out var other))
                {
                    _busy.Add(cluster, new(TaskCreationOptions.RunContinuationsAsynchronously));
                    return;
                }
                busy = other.Task;
            }
            await busy.WaitAsync(cancellation);
        }
    }

    private void Leave(long cluster)
    {
        TaskCompletionSource? done;
        lock (_busy) _busy.Remove(cluster, out done);
        done!.SetResult();
    }
}
