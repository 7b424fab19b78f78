using Slipway.Disks;

namespace Slipway.Volumes.Qcow2;

/// <summary>
/// Makes new clusters part of the image: one flush for all writers that wait, then their L2 entries. While one flush is
/// under way the next batch gathers behind it.
/// </summary>
internal sealed class Qcow2Commits(IImageFile file, Qcow2Tables tables, Qcow2Refcounts refcounts, SemaphoreSlim metadata, Func<bool> noWriteInPlace) : IDisposable
{
    private readonly SemaphoreSlim _leader = new(1, 1);
    private readonly Lock _lock = new();
    private Batch _gathering = new();
    private List<Mapping> _givenUp = [];

    /// <summary>Returns when the entry is in the file. Not cancelled: the cluster is filled, and somebody may share the flush.</summary>
    public async ValueTask CommitAsync(long cluster, ulong entry, Mapping old)
    {
        Batch batch;
        bool leads;
        lock (_lock)
        {
            batch = _gathering;
            leads = batch.Entries.Count == 0;
            batch.Entries.Add((cluster, entry, old));
        }
        if (leads) await LeadAsync();
        await batch.Done.Task;
    }

    /// <summary>Remembers a cluster that no entry leads to any more; it is free after the next flush. Under the metadata lock.</summary>
    public void GiveUp(Mapping old)
    {
        if (old.Kind == MappingKind.Compressed || old.HostOffset != 0) _givenUp.Add(old);
    }

    /// <summary>Gives a cluster up that was allocated and never used.</summary>
    public async ValueTask ReturnAsync(Mapping unused)
    {
        await metadata.WaitAsync();
        GiveUp(unused);
        metadata.Release();
    }

    /// <summary>Returns when all that was acknowledged is on the medium; clusters given up before are free then.</summary>
    public async ValueTask FlushAsync(CancellationToken cancellation)
    {
        await metadata.WaitAsync(cancellation);
        var givenUp = _givenUp;
        _givenUp = [];
        metadata.Release();
        var flushed = false;
        try
        {
            await file.FlushAsync(cancellation);
            flushed = true;
        }
        finally
        {
            await RecycleAsync(givenUp, flushed);
        }
    }

    public void Dispose() => _leader.Dispose();

    private async ValueTask LeadAsync()
    {
        await _leader.WaitAsync();
        Batch batch;
        lock (_lock) (batch, _gathering) = (_gathering, new());
        try
        {
            await file.FlushAsync();
            await metadata.WaitAsync();
            try
            {
                foreach (var (cluster, entry, old) in batch.Entries)
                {
                    await tables.SetAsync(cluster, entry, CancellationToken.None);
                    GiveUp(old);
                }
            }
            finally
            {
                metadata.Release();
            }
            batch.Done.SetResult();
        }
        finally
        {
            // The leader's own caller gets the cause; every other writer of the batch hears of it.
            batch.Done.TrySetException(new BlockDeviceException(BlockDeviceError.Io, "qcow2: a write that this one waited with has failed"));
            _leader.Release();
        }
    }

    private async ValueTask RecycleAsync(List<Mapping> givenUp, bool flushed)
    {
        if (givenUp.Count == 0) return;
        await metadata.WaitAsync();
        try
        {
            // A write that looked its cluster up before that was given up may still be on its way there.
            if (!flushed || !noWriteInPlace())
            {
                _givenUp.AddRange(givenUp);
                return;
            }
            foreach (var old in givenUp.OrderBy(o => o.HostOffset))
            {
                var length = old.Kind == MappingKind.Compressed ? old.CompressedLength : 1;
                await refcounts.ReleaseAsync(old.HostOffset, length, CancellationToken.None);
            }
        }
        finally
        {
            refcounts.DiscardFreed();
            metadata.Release();
        }
    }

    private sealed class Batch
    {
        public List<(long Cluster, ulong Entry, Mapping Old)> Entries { get; } = [];

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
