using Slipway.Iscsi.Text;
using Slipway.Scsi;

namespace Slipway.Iscsi.Target.FullFeature;

/// <summary>One session: whom it belongs to, what was agreed, its commands and its connections.</summary>
/// <remarks>
/// A session of one connection belongs to that connection's loop, and has no lock. Where several were agreed on, loops
/// work on it at a time: each of them holds the session, by <see cref="Enter"/>, while it works on a PDU, and what concerns
/// another connection it posts to that one. Nothing waits for a loop while it holds the session.
/// </remarks>
internal sealed class Session
{
    private readonly Lock? _gate;
    private readonly Lock _membersGate = new();
    private readonly List<Member> _members = [];
    private List<Action>? _afterEnd = [];
    private bool _isEnding;

    public Session(SessionKey key, ushort tsih, LoginFacts facts, OperationalParameters parameters, ScsiTargetDevice? device, CommandWindow window, TargetConnection leading, ushort cid)
    {
        (Key, Tsih, Facts, Parameters, Device, Window) = (key, tsih, facts, parameters, device, window);
        Held = new HeldRequests(window);
        Late = new LateCommands(window);
        _members.Add(new(leading, cid));
        _gate = parameters.MaxConnections > 1 ? new Lock() : null;
    }

    private readonly record struct Member(TargetConnection Connection, ushort Cid);

    public SessionKey Key { get; }

    public ushort Tsih { get; }

    /// <summary>Those of its first connection.</summary>
    public LoginFacts Facts { get; }

    /// <summary>Those of its first connection; what others have of their own, they have themselves.</summary>
    public OperationalParameters Parameters { get; }

    /// <summary>Null in a discovery session.</summary>
    public ScsiTargetDevice? Device { get; }

    /// <summary>Null in a discovery session, and before <see cref="Open"/>.</summary>
    public Nexus? Nexus { get; private set; }

    public CommandWindow Window { get; }

    public HeldRequests Held { get; }

    public LateCommands Late { get; }

    /// <summary>Its living commands.</summary>
    public TaskTable Tasks { get; } = new();

    public long BytesRead { get; set; }

    public long BytesWritten { get; set; }

    /// <summary>Holds the session while the scope lives.</summary>
    public static SessionScope Enter(Session? session) => new(session?._gate);

    /// <summary>A command has come.</summary>
    public void Add(TargetTask task)
    {
        Tasks.Add(task);
        Window.Enter();
    }

    /// <summary>A command has ended, for which others may have waited.</summary>
    public void Remove(TargetTask task)
    {
        Tasks.Remove(task);
        Window.Leave();
        if (Tasks.HasDormant)
            Connections().ForEach(c => c.StartDormant());
    }

    /// <summary>No other session has its name any more.</summary>
    public void Open()
    {
        // RFC 7143 §4.4.1: the initiator port's name is the initiator's name, ",i,0x" and the ISID.
        Nexus = Device?.OpenNexus($"{Facts.InitiatorName},i,0x{Facts.Isid:x12}", Facts.PortalGroup);
        if (Nexus is not null)
            Nexus.AbortTaskSet = AbortTaskSetAsync;
    }

    /// <summary>
    /// Makes a connection a member. Where one with the same CID is there, it is <paramref name="older"/>: the newcomer is
    /// a member already, so that the session outlives the other, and joins when that has ended (RFC 7143 §6.3.4).
    /// </summary>
    public JoinResult Join(TargetConnection connection, ushort cid, out TargetConnection? older)
    {
        older = null;
        lock (_membersGate)
        {
            if (_isEnding)
                return JoinResult.Ended;
            var own = _members.FindIndex(m => m.Connection == connection);
            var taken = _members.FindIndex(m => m.Cid == cid && m.Connection != connection);
            // The one that came first ends first, so that of two newcomers one stays.
            if (taken >= 0 && (own < 0 || taken < own))
                older = _members[taken].Connection;
            if (own < 0)
            {
                if (older is null && _members.Count >= Parameters.MaxConnections)
                    return JoinResult.Full;
                _members.Add(new(connection, cid));
            }
            return older is null ? JoinResult.Joined : JoinResult.Waits;
        }
    }

    /// <summary>True where it was the last connection: the caller then ends the session.</summary>
    public bool Leave(TargetConnection connection)
    {
        lock (_membersGate)
        {
            var isLast = _members.RemoveAll(m => m.Connection == connection) > 0 && _members.Count == 0;
            _isEnding |= isLast;
            return isLast;
        }
    }

    public TargetConnection? WithCid(ushort cid)
    {
        lock (_membersGate)
            return _members.Find(m => m.Cid == cid).Connection;
    }

    public List<TargetConnection> Connections(TargetConnection? except = null)
    {
        lock (_membersGate)
            return [.. _members.Select(m => m.Connection).Where(c => c != except)];
    }

    /// <summary>Lets no more connections in.</summary>
    public void Seal()
    {
        lock (_membersGate)
            _isEnding = true;
    }

    /// <summary>Ends all its connections, from any thread, and calls back when nothing of it is left.</summary>
    public void End(string reason, Action ended)
    {
        bool over;
        lock (_membersGate)
        {
            _isEnding = true;
            over = _afterEnd is null;
            _afterEnd?.Add(ended);
        }
        if (over)
            ended();
        foreach (var connection in Connections())
            connection.Post(() => connection.Close(reason));
    }

    // For the device, from any thread; who loses commands learns so as from CLEAR TASK SET.
    private async Task AbortTaskSetAsync(ulong lun) => await Task.WhenAll(Connections().Select(connection =>
    {
        var aborted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        connection.Post(() => connection.AbortTasks(t => LogicalUnitNumber.AreSame(t.Lun, lun), aborted.SetResult, () => Device!.ReportCleared(Nexus!, lun)));
        return aborted.Task;
    }));

    /// <summary>Its last connection has left; the device lets go of it, and who waits for that hears it.</summary>
    public void Close(TargetNode node, string reason)
    {
        if (Nexus is not null)
            Device!.CloseNexus(Nexus);
        node.Sessions.Release(this);
        node.Observer.Observe(new Closed(Facts, node.Time.GetUtcNow(), reason, BytesRead, BytesWritten));
        List<Action> waiting;
        lock (_membersGate)
            (waiting, _afterEnd) = (_afterEnd!, null);
        waiting.ForEach(ended => ended());
    }
}

/// <summary>What makes two sessions the same (RFC 7143 §4.4.3: one I_T nexus, one session).</summary>
internal readonly record struct SessionKey(string Initiator, ulong Isid, string Target, ushort PortalGroupTag);

internal enum JoinResult
{
    Joined,

    /// <summary>For an older connection with its CID to end.</summary>
    Waits,
    Full,
    Ended,
}

/// <summary>Holds a session that is shared; nothing where it is not.</summary>
internal readonly ref struct SessionScope
{
    private readonly Lock? _gate;

    public SessionScope(Lock? gate)
    {
        _gate = gate;
        _gate?.Enter();
    }

    public void Dispose() => _gate?.Exit();
}
