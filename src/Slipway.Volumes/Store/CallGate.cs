namespace Slipway.Volumes.Store;

/// <summary>
/// What calls go through, so that something can be done while none is under way: those that have begun end first, those that
/// come meanwhile wait. An entry counts before it looks for a pause, and a pause is set before it looks at the count: one of
/// them sees the other.
/// </summary>
internal sealed class CallGate
{
    private volatile Pause? _pause;
    private int _inFlight;

    /// <summary>Ends when calls are let in again; null where they are.</summary>
    public Task? Opening => _pause?.Over.Task;

    /// <summary>Who enters leaves; false where calls have to wait.</summary>
    public bool TryEnter()
    {
        Interlocked.Increment(ref _inFlight);
        if (_pause is null) return true;
        Leave();
        return false;
    }

    public void Leave()
    {
        if (Interlocked.Decrement(ref _inFlight) == 0) _pause?.Quiet.TrySetResult();
    }

    /// <summary>Leaves when the call has ended.</summary>
    public ValueTask LeaveAfterAsync(ValueTask call)
    {
        if (!call.IsCompleted) return AwaitedAsync(call);
        Leave();
        return call;

        async ValueTask AwaitedAsync(ValueTask running)
        {
            try
            {
                await running;
            }
            finally
            {
                Leave();
            }
        }
    }

    /// <summary>Runs something while no call is under way. One at a time.</summary>
    public async ValueTask WithoutCallsAsync(Func<ValueTask> act)
    {
        var pause = new Pause();
        _pause = pause;
        try
        {
            Interlocked.MemoryBarrier();
            if (Volatile.Read(ref _inFlight) > 0) await pause.Quiet.Task;
            await act();
        }
        finally
        {
            _pause = null;
            pause.Over.SetResult();
        }
    }

    private sealed class Pause
    {
        /// <summary>Nothing is under way.</summary>
        public TaskCompletionSource Quiet { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Over { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
