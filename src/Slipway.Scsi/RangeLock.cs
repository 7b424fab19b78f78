using Slipway.Scsi.Commands.Medium;

namespace Slipway.Scsi;

/// <summary>
/// Keeps a read-modify-write (COMPARE AND WRITE, ORWRITE) apart from every other change of its blocks (SBC-3 §5.2, §5.5), while
/// plain writes run side by side. Requests that conflict are granted in the order of their arrival, so none starves.
/// </summary>
/// <remarks>The list holds the changes in flight: a queue's depth. A linear look is cheaper than any tree.</remarks>
internal sealed class RangeLock
{
    private readonly Lock _lock = new();
    private readonly List<Entry> _entries = [];
    private int _exclusive;
    private long _lastId;

    /// <summary>Waits until no earlier request conflicts. Completes at once, and allocates nothing, where none does.</summary>
    public ValueTask<Hold> EnterAsync(BlockRange range, bool exclusive, CancellationToken cancellation) =>
        EnterAsync(range.Lba, range.Lba + range.Blocks, exclusive, cancellation);

    /// <summary>Waits until nothing else is under way anywhere, and keeps it so.</summary>
    public ValueTask<Hold> EnterAloneAsync(CancellationToken cancellation) =>
        EnterAsync(0, ulong.MaxValue, exclusive: true, cancellation);

    private ValueTask<Hold> EnterAsync(ulong start, ulong end, bool exclusive, CancellationToken cancellation)
    {
        TaskCompletionSource? waiter = null;
        long id;
        lock (_lock)
        {
            id = ++_lastId;
            var entry = new Entry(id, start, end, exclusive, null);
            if (IsBlocked(entry, _entries.Count))
                waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _entries.Add(entry with { Waiter = waiter });
            _exclusive += exclusive ? 1 : 0;
        }

        var hold = new Hold(this, id);
        return waiter is null ? ValueTask.FromResult(hold) : WaitAsync(waiter.Task, hold, cancellation);
    }

    private static async ValueTask<Hold> WaitAsync(Task granted, Hold hold, CancellationToken cancellation)
    {
        try
        {
            await granted.WaitAsync(cancellation);
            return hold;
        }
        catch (OperationCanceledException)
        {
            hold.Dispose();
            throw;
        }
    }

    private void Exit(long id)
    {
        lock (_lock)
        {
            var index = 0;
            while (_entries[index].Id != id)
                index++;
            _exclusive -= _entries[index].Exclusive ? 1 : 0;
            _entries.RemoveAt(index);
            for (var i = index; i < _entries.Count; i++)
            {
                if (_entries[i].Waiter is { } waiter && !IsBlocked(_entries[i], i))
                {
                    _entries[i] = _entries[i] with { Waiter = null };
                    waiter.SetResult();
                }
            }
        }
    }

    private bool IsBlocked(Entry entry, int earlier)
    {
        if (_exclusive == 0 && !entry.Exclusive)
            return false;
        for (var i = 0; i < earlier; i++)
        {
            var other = _entries[i];
            if ((entry.Exclusive || other.Exclusive) && entry.Start < other.End && other.Start < entry.End)
                return true;
        }

        return false;
    }

    private readonly record struct Entry(long Id, ulong Start, ulong End, bool Exclusive, TaskCompletionSource? Waiter);

    /// <summary>A granted range; disposing gives it back.</summary>
    public readonly record struct Hold(RangeLock Owner, long Id) : IDisposable
    {
        public void Dispose() => Owner.Exit(Id);
    }
}
