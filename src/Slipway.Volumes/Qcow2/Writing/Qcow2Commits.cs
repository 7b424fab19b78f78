using Slipway.Disks;
using Slipway.Volumes.Qcow2.Files;
using Slipway.Volumes.Qcow2.Refcounts;
using Slipway.Volumes.Qcow2.Tables;

namespace Slipway.Volumes.Qcow2.Writing;

/// <summary>
/// Brings changes of the tables into the file, always in this order: the clusters that they lead to are on the medium,
/// then the entries are written, then, after another flush, the clusters that nothing leads to any more are free.
/// </summary>
/// <remarks>
/// A change is acknowledged when the journal has it, and written with many others: when the journal's half is full, when
/// the disk is flushed, and some seconds after it was made. Without a journal, or with no room there, it waits for that,
/// and all who wait share one flush.
/// </remarks>
internal sealed class Qcow2Commits : IAsyncDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);
    private readonly IImageFile _file;
    private readonly Qcow2Tables _tables;
    private readonly Qcow2Refcounts _refcounts;
    private readonly Qcow2Journal _journal;
    private readonly SemaphoreSlim _metadata;
    private readonly Func<bool> _noWriteInPlace;
    private readonly SemaphoreSlim _leader = new(1, 1);
    private readonly Timer _timer;
    private List<Qcow2Change> _changes = [];
    private List<Mapping> _givenUp = [];
    private Task _background = Task.CompletedTask;
    private BlockDeviceException? _failure;
    private long _made, _written, _unrecorded;

    public Qcow2Commits(IImageFile file, Qcow2Tables tables, Qcow2Refcounts refcounts, Qcow2Journal journal, SemaphoreSlim metadata, Func<bool> noWriteInPlace)
    {
        (_file, _tables, _refcounts, _journal, _metadata, _noWriteInPlace) = (file, tables, refcounts, journal, metadata, noWriteInPlace);
        _timer = new(_ => WriteInBackground());
    }

    /// <summary>
    /// Makes a change: readers see it when this returns. Under the metadata lock.
    /// </summary>
    /// <returns>To be handed to <see cref="AcknowledgedAsync"/> once the lock is left.</returns>
    public async ValueTask<Made> ChangeAsync(Qcow2Change change)
    {
        await _tables.SetAsync(change, CancellationToken.None);
        if (_changes.Count == 0) _timer.Change(Longest, Timeout.InfiniteTimeSpan);
        _changes.Add(change);
        _made++;
        // A change may need the one before it (a table, then an entry there): none is recorded past one that was not.
        var recorded = false;
        try
        {
            recorded = _unrecorded <= Volatile.Read(ref _written) && await _journal.TryAppendAsync(change);
        }
        catch (BlockDeviceException e) when (e.Error == BlockDeviceError.NoSpace)
        {
            // The change is made, and its cluster is there: it waits for the table, which needs no room.
        }
        finally
        {
            if (!recorded) _unrecorded = _made;
        }
        if (_journal.IsFull && _background.IsCompleted) WriteInBackground();
        return new(_made, recorded && !_tables.ManyChanged);
    }

    /// <summary>Returns when a change survives the death of the process. Not cancelled: others may share the flush.</summary>
    public ValueTask AcknowledgedAsync(Made made) => made.IsRecorded ? ValueTask.CompletedTask : WriteThroughAsync(made.Number);

    /// <summary>Gives a cluster up that was allocated and never used. Under the metadata lock.</summary>
    public void GiveUp(long unused) => _givenUp.Add(new(MappingKind.Data, unused, Exclusive: true));

    /// <summary>The same, where the lock is not held.</summary>
    public async ValueTask ReturnAsync(long unused)
    {
        await _metadata.WaitAsync();
        GiveUp(unused);
        _metadata.Release();
    }

    /// <summary>Returns when all that was acknowledged is on the medium; clusters given up before are free then.</summary>
    public async ValueTask FlushAsync(CancellationToken cancellation)
    {
        await WriteThroughAsync(Volatile.Read(ref _made));
        await _metadata.WaitAsync(cancellation);
        var givenUp = _givenUp;
        _givenUp = [];
        _metadata.Release();
        var flushed = false;
        try
        {
            await _file.FlushAsync(cancellation);
            flushed = true;
        }
        finally
        {
            await RecycleAsync(givenUp, flushed);
        }
        // The kernel tells of a write that the medium refused once, to whoever flushes next: that may have been the timer.
        if (Interlocked.Exchange(ref _failure, null) is { } failure) throw failure;
    }

    public async ValueTask DisposeAsync()
    {
        await _timer.DisposeAsync();
        await _background;
        _leader.Dispose();
    }

    private void WriteInBackground() => _background = Task.Run(async () =>
    {
        try
        {
            await WriteThroughAsync(Volatile.Read(ref _made));
        }
        catch (BlockDeviceException e)
        {
            _failure = e;
        }
    });

    /// <summary>Returns when all changes up to a number are in the file's tables.</summary>
    private async ValueTask WriteThroughAsync(long number)
    {
        if (Volatile.Read(ref _written) >= number) return;
        await _leader.WaitAsync();
        try
        {
            // Whoever led before may have taken this one along.
            if (_written < number) await WriteAllAsync();
        }
        finally
        {
            _leader.Release();
        }
    }

    private async ValueTask WriteAllAsync()
    {
        await _metadata.WaitAsync();
        var changes = _changes;
        var number = _made;
        _changes = [];
        _journal.Turn();
        _metadata.Release();
        var written = false;
        try
        {
            await _file.FlushAsync();
            await _tables.WriteAsync(changes, CancellationToken.None);
            written = true;
        }
        finally
        {
            await _metadata.WaitAsync();
            if (written)
            {
                _tables.Settle(changes);
                _givenUp.AddRange(changes.Select(c => c.Old).Where(o => o.Kind == MappingKind.Compressed || o.HostOffset != 0));
                await _journal.ForgetAsync();
                Volatile.Write(ref _written, number);
            }
            // They stay in the journal, and the next one who leads tries again.
            else _changes = [.. changes, .. _changes];
            if (_changes.Count > 0) _timer.Change(Longest, Timeout.InfiniteTimeSpan);
            _metadata.Release();
        }
    }

    private async ValueTask RecycleAsync(List<Mapping> givenUp, bool flushed)
    {
        if (givenUp.Count == 0) return;
        await _metadata.WaitAsync();
        try
        {
            // A write that looked its cluster up before that was given up may still be on its way there.
            if (!flushed || !_noWriteInPlace())
            {
                _givenUp.AddRange(givenUp);
                return;
            }
            foreach (var old in givenUp.OrderBy(o => o.HostOffset))
            {
                var length = old.Kind == MappingKind.Compressed ? old.CompressedLength : 1;
                await _refcounts.ReleaseAsync(old.HostOffset, length, CancellationToken.None);
            }
        }
        finally
        {
            _refcounts.DiscardFreed();
            _metadata.Release();
        }
    }

    /// <summary>A change that was made.</summary>
    internal readonly record struct Made(long Number, bool IsRecorded);
}
