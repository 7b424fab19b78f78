namespace Slipway.Iscsi.Target.FullFeature;

/// <summary>
/// Requests that came before their turn by CmdSN (RFC 7143 §4.2.2.1), from all connections of a session. Each is delivered
/// by the connection that it came by, which is told when its turn has come.
/// </summary>
internal sealed class HeldRequests(CommandWindow window)
{
    // Texts and pings are short; one of any length is taken.
    private const int MaxData = 64 * 1024;

    private readonly Dictionary<uint, HeldRequest> _held = [];
    private int _data;

    /// <summary>Whether a request with so much data may wait: data of commands has an account of its own.</summary>
    public bool HasRoomFor(int data) => data == 0 || _data == 0 || _data + data <= MaxData;

    public bool Has(uint cmdSN) => _held.Count > 0 && _held.ContainsKey(cmdSN);

    /// <summary>False where the CmdSN is outside the window, or here already: then it is ignored, with no answer (§4.2.2.1).</summary>
    public bool TryHold(uint cmdSN, HeldRequest request)
    {
        if (!window.Contains(cmdSN) || !_held.TryAdd(cmdSN, request))
            return false;
        _data += request.Data.Length;
        return true;
    }

    /// <summary>Takes the request whose turn it is, where it is <paramref name="taker"/>'s to deliver, or nobody's.</summary>
    public bool TryTake(FullFeaturePhase? taker, out HeldRequest next)
    {
        next = HeldRequest.Void;
        if (_held.Count == 0 || !_held.TryGetValue(window.Expected, out var due) || (due.Owner is not null && due.Owner != taker))
            return false;
        _held.Remove(window.Expected);
        _data -= due.Data.Length;
        window.Advance();
        next = due;
        return true;
    }

    /// <summary>Whose turn it is; null where that is not here yet.</summary>
    public FullFeaturePhase? Due => _held.Count > 0 && _held.TryGetValue(window.Expected, out var due) ? due.Owner : null;

    /// <summary>A connection is gone: what it held has come, and nothing of it is done. Returns the commands among it.</summary>
    public List<TargetTask> Abandon(FullFeaturePhase owner)
    {
        var tasks = new List<TargetTask>();
        foreach (var (cmdSN, held) in _held.Where(h => h.Value.Owner == owner).ToList())
        {
            _held[cmdSN] = HeldRequest.Void;
            _data -= held.Data.Length;
            if (held.Task is not null)
                tasks.Add(held.Task);
        }
        return tasks;
    }
}

/// <summary>A request before its turn. Without an owner it is over already, and only its CmdSN is waited for.</summary>
internal sealed record HeldRequest(FullFeaturePhase? Owner, byte[] Header, TargetTask? Task, byte[] Data)
{
    public static HeldRequest Void { get; } = new(null, [], null, []);
}
