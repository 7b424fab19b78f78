namespace Slipway.Server.Tests;

/// <summary>What a server reported, for tests that wait until it has.</summary>
internal sealed class EventLog<T>
{
    private readonly Lock _gate = new();
    private readonly List<T> _events = [];
    private TaskCompletionSource _more = new();

    public IReadOnlyList<T> All
    {
        get
        {
            lock (_gate)
                return [.. _events];
        }
    }

    public void Add(T item)
    {
        TaskCompletionSource more;
        lock (_gate)
        {
            _events.Add(item);
            more = _more;
            _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        more.SetResult();
    }

    public async Task<T> WaitForAsync(Predicate<T> wanted, TimeSpan? patience = null)
    {
        while (true)
        {
            Task more;
            lock (_gate)
            {
                if (_events.FindIndex(wanted) is var i and >= 0)
                    return _events[i];
                more = _more.Task;
            }
            await more.WaitAsync(patience ?? TimeSpan.FromSeconds(30));
        }
    }
}
