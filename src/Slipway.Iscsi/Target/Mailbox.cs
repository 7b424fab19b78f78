using Slipway.Iscsi.Target.FullFeature;

namespace Slipway.Iscsi.Target;

/// <summary>What other threads have for a connection: commands that the logical unit finished, and things to do.</summary>
internal sealed class Mailbox(Action wake, Action<TargetTask> completed, Action<Action> perform)
{
    private readonly Lock _gate = new();
    private List<object> _letters = [];
    private List<object> _reading = [];
    private bool _closed;

    // Whether there are letters: each turn of the loop looks, and hardly ever finds one.
    private volatile bool _hasLetters;

    public void Post(TargetTask task)
    {
        lock (_gate)
        {
            _letters.Add(task);
            _hasLetters = true;
        }
        wake();
    }

    /// <summary>Where nobody reads any more, the action runs at once: whoever waits for it must not wait forever.</summary>
    public void Post(Action action)
    {
        bool closed;
        lock (_gate)
        {
            closed = _closed;
            if (!closed)
            {
                _letters.Add(action);
                _hasLetters = true;
            }
        }
        if (closed)
            action();
        else
            wake();
    }

    public void Run()
    {
        if (!_hasLetters)
            return;
        lock (_gate)
        {
            _hasLetters = false;
            (_letters, _reading) = (_reading, _letters);
        }
        foreach (var letter in _reading)
        {
            if (letter is TargetTask task)
                completed(task);
            else
                perform((Action)letter);
        }
        _reading.Clear();
    }

    /// <summary>Runs what is left, and lets nothing more in.</summary>
    public void Close()
    {
        List<object> rest;
        lock (_gate)
        {
            _closed = true;
            (rest, _letters) = (_letters, []);
        }
        foreach (var letter in rest)
            ((Action)letter)();
    }
}
