namespace Slipway.Server.Iscsi.Epoll;

/// <summary>
/// Decides whether a loop looks for the next event a while before it sleeps. Waking a sleeping processor takes longer than
/// a whole READ; where requests come one by one and quickly, looking pays. Where it found nothing, it is left out of the
/// waits that follow, twice as many each time: an idle loop sleeps, and one that shares its processor with the client
/// hardly loses anything.
/// </summary>
internal struct PollingBudget
{
    private const int MostSkipped = 1024;
    private int _skipped;
    private int _toSkip;

    /// <summary>A loop is about to wait; whether it looks first.</summary>
    public bool ShouldPoll()
    {
        if (_toSkip == 0)
            return true;
        _toSkip--;
        return false;
    }

    /// <summary>It has looked.</summary>
    /// <param name="found">There was an event in time.</param>
    public void Polled(bool found)
    {
        _skipped = found ? 0 : Math.Clamp(_skipped * 2, 1, MostSkipped);
        _toSkip = _skipped;
    }
}
