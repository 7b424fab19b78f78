using System.Buffers;

namespace Slipway.Volumes.Qcow2;

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
    private readonly Qcow2Tables _tables;
    private readonly Qcow2Marks _marks;
    private readonly Qcow2Refcounts _refcounts;
    private readonly Qcow2Journal _journal;
    private readonly Qcow2Commits _commits;
    private readonly SemaphoreSlim _metadata;
    private readonly ClusterGate _gate = new();
    private int _inPlace;

    public Qcow2Writer(Qcow2Device device, IImageFile file, Qcow2Map map, Qcow2Tables tables, Qcow2Marks marks, SemaphoreSlim metadata)
    {
        (_device, _file, _header, _map, _tables, _marks, _metadata) = (device, file, device.Header, map, tables, marks, metadata);
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
            var part = (int)Math.Min(length, LeftOfCluster(offset));
            await ZeroClusterAsync(offset, part, cancellation);
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
        var touched = entry.WithData(Subclusters(StartOf(offset), EndOf(end)));
        // Others may be writing in place into what is there: only what is not there yet is filled.
        var from = IsThere(offset) ? offset : StartOf(offset);
        var to = IsThere(end - 1) ? end : EndOf(end);
        await FillAsync(entry.HostOffset, from, to, offset, source, cancellation);
        if (touched != entry) await ChangeAsync(offset, touched, default);

        bool IsThere(long place) => (entry.Allocated & Subclusters(StartOf(place), EndOf(place + 1))) != 0;
    }

    /// <summary>Writes into a cluster of the file that nothing leads to yet.</summary>
    private async ValueTask ReplaceAsync(long offset, ReadOnlyMemory<byte> source, L2Entry old, CancellationToken cancellation)
    {
        var cluster = offset >> _header.ClusterBits;
        var (from, to) = (StartOf(offset), EndOf(offset + source.Length));
        // What is compressed, or not in a cluster of its own, moves as a whole.
        if (old.IsCompressed || old.HostOffset != 0) (from, to) = (cluster << _header.ClusterBits, (cluster + 1) << _header.ClusterBits);
        var host = await AllocateAsync(cluster, cancellation);
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
        await ChangeAsync(offset, (old with { Descriptor = (ulong)host | Mapping.Copied }).WithData(Subclusters(from, to)), old.Cluster(_header));
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

    /// <summary>Changes the L2 entry of the cluster at a place, in a table that is made if there is none.</summary>
    /// <param name="old">What it leads to no more.</param>
    private async ValueTask ChangeAsync(long offset, L2Entry entry, Mapping old)
    {
        var (descriptor, bitmap) = entry.ToWords(_header);
        Qcow2Commits.Made made;
        await _metadata.WaitAsync();
        try
        {
            var cluster = offset >> _header.ClusterBits;
            await MakeTableAsync(cluster);
            made = await _commits.ChangeAsync(new(IsL1: false, cluster, descriptor, bitmap, old));
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

    private async ValueTask ZeroClusterAsync(long offset, int length, CancellationToken cancellation)
    {
        var end = offset + length;
        // Subclusters that are covered as far as the disk goes; what is left of others before and behind them is written.
        var from = EndOf(offset);
        var to = end == _device.Length ? EndOf(end) : StartOf(end);
        if (from >= to || !await TryZeroSubclustersAsync(from, to, cancellation)) (from, to) = (end, end);
        if (from > offset) await ZeroPartAsync(offset, (int)(from - offset), cancellation);
        if (to < end) await ZeroPartAsync(to, (int)(end - to), cancellation);
    }

    /// <summary>Says of subclusters that they read as zeroes; false for some of a cluster that has none.</summary>
    private async ValueTask<bool> TryZeroSubclustersAsync(long from, long to, CancellationToken cancellation)
    {
        var cluster = from >> _header.ClusterBits;
        await _gate.EnterAsync(cluster, cancellation);
        try
        {
            var entry = await _map.EntryAsync(from, cancellation);
            var zero = Subclusters(from, to);
            if (zero != L2Entry.All && !entry.HasCluster && (entry.IsCompressed || entry.HostOffset != 0)) return false;
            var zeroed = entry.WithZeroes(zero);
            if (zeroed == entry || (entry == default && _header.BackingFile is null)) return true;
            cancellation.ThrowIfCancellationRequested();
            await ChangeAsync(from, zeroed, zeroed.HostOffset == 0 ? entry.Cluster(_header) : default);
            return true;
        }
        finally
        {
            _gate.Leave(cluster);
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
                var (mapping, run) = await _map.LookupAsync(offset, cancellation);
                run = Math.Min(run, length);
                if (mapping.Kind != MappingKind.Zero && (mapping.Kind != MappingKind.Unallocated || _header.BackingFile is not null))
                    await WriteClusterAsync(offset, zeroes.AsMemory(0, run), cancellation);
                offset += run;
                length -= run;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(zeroes);
        }
    }

    /// <summary>The bits of the subclusters that a range of one cluster consists of.</summary>
    private uint Subclusters(long from, long to)
    {
        var size = _header.ClusterSize / L2Entry.Subclusters;
        var first = (int)(from & (_header.ClusterSize - 1)) / size;
        return L2Entry.All >> (int)(L2Entry.Subclusters - (to - from) / size) << first;
    }

    // Without subclusters, the cluster.
    private long StartOf(long offset) => offset & ~(_header.SubclusterSize - 1L);

    private long EndOf(long end) => StartOf(end + _header.SubclusterSize - 1);
}
