using System.Net;
using Slipway.Iscsi.Pdu;
using Slipway.Iscsi.Target.FullFeature;
using Slipway.Iscsi.Text;
using Slipway.Iscsi.Transfer;

namespace Slipway.Iscsi.Target;

/// <summary>
/// The target's end of one connection, without its socket: bytes in by <see cref="Receive"/>, bytes out by
/// <see cref="Output"/>. Login first (RFC 7143 §6.3), then the full feature phase.
/// </summary>
/// <remarks>
/// One loop at a time calls it. What other threads have for it they <see cref="Post(Action)"/>; it is then done in
/// <see cref="Run"/>. The loop: receive and <see cref="Receive"/>; send what is in <see cref="Output"/> and call
/// <see cref="Sent"/>; where <see cref="ShouldClose"/>, close the socket; whenever the socket is gone,
/// <see cref="TransportClosed"/>. It goes on calling <see cref="Run"/> until <see cref="HasEnded"/>.
/// </remarks>
public sealed class TargetConnection : IPduSink
{
    private readonly TargetNode _node;
    private readonly Mailbox _mailbox;
    private readonly PduReceiver _receiver;
    private readonly PduSender _sender;
    private readonly DateTimeOffset _accepted;
    private readonly Action<LoginFacts>? _loggedIn;
    private readonly Action _keepAlive;
    private readonly Action _startDormant;
    private LoginSteps? _login;
    private FullFeaturePhase? _phase;
    private bool _closing;
    private bool _transportClosed;
    private bool _terminating;
    private bool _released;
    private string? _reason;
    private List<Action>? _afterEnd;

    internal TargetConnection(TargetNode node, IPEndPoint remote, IPEndPoint portal, Action wake, Action<LoginFacts>? loggedIn)
    {
        _node = node;
        _mailbox = new Mailbox(wake, Completed, Perform);
        _receiver = new PduReceiver(this);
        Output = new SendQueue(node.Buffers);
        _sender = new PduSender(Output);
        _accepted = node.Time.GetUtcNow();
        _loggedIn = loggedIn;
        _keepAlive = SendKeepAlive;
        _startDormant = () => _phase?.Runner.StartDormant();
        _login = new LoginSteps(this, node, _sender, remote, portal);
    }

    public SendQueue Output { get; }

    /// <summary>Null until the initiator has named itself.</summary>
    public LoginFacts? Facts => _phase?.Facts ?? _login?.Phase.Facts;

    /// <summary>When a connection that is still logging in is to be given up; null afterwards.</summary>
    public DateTimeOffset? LoginDeadline => _login is null ? null : _accepted + _node.Limits.LoginTime;

    /// <summary>The socket is to be closed now.</summary>
    public bool ShouldClose => !_transportClosed && (_closing || (_terminating && Output.IsEmpty));

    /// <summary>Nothing of it is left anywhere.</summary>
    public bool HasEnded => _transportClosed && _released;

    /// <summary>Why it ended, for the log.</summary>
    public string? EndReason => _reason;

    /// <summary>An exception of the logical unit, which is a bug; for the log.</summary>
    public Exception? Fault { get; private set; }

    /// <summary>No more is to be received before something was sent or run.</summary>
    public bool IsPaused => _terminating || _closing || Output.Length > _node.Limits.SendBacklog || _login is { IsSuspended: true };

    /// <summary>It says nothing any more.</summary>
    internal bool IsEnding => _terminating;

    internal ushort Cid { get; private set; }

    /// <summary>Takes bytes as they came; returns how many. The rest is to be given again when it is not paused.</summary>
    public int Receive(ReadOnlySpan<byte> bytes) => _closing || _terminating ? 0 : _receiver.Receive(bytes);

    /// <summary>Does what other threads have posted.</summary>
    public void Run() => _mailbox.Run();

    /// <summary>The first bytes of <see cref="Output"/> have been sent.</summary>
    public void Sent(long bytes)
    {
        using var scope = Enter();
        Output.Sent(bytes);
        _phase?.Runner.Pump();
    }

    /// <summary>Gives up a login that takes too long.</summary>
    public void CheckDeadline(DateTimeOffset now)
    {
        if (now >= LoginDeadline)
            Close($"the login did not end within {_node.Limits.LoginTime.TotalSeconds:0} s");
    }

    /// <summary>
    /// Lets a connection that is idle send a PDU, so that TCP finds out whether there still is a peer. Whether one answers
    /// is nothing to us: iPXE never does. Called from any thread, now and then.
    /// </summary>
    public void KeepAlive() => Post(_keepAlive);

    /// <summary>Asks the initiator to log out (RFC 7143 §11.9.1, event 1). From any thread.</summary>
    /// <param name="within">After this the connection will be dropped, by whoever asked.</param>
    public void RequestLogout(TimeSpan within) => Post(() => Tell(AsyncEvent.LogoutRequested, (ushort)Math.Clamp(within.TotalSeconds, 0, ushort.MaxValue)));

    /// <summary>
    /// Tells the initiator that its session is dropped (RFC 7143 §11.9.1, event 3), and closes when that is sent. From any
    /// thread. It may come back at once.
    /// </summary>
    public void Drop(string reason) => Post(() => TellAndDrop(reason));

    /// <summary>The socket is closed, and no part of <see cref="Output"/> is in use any more.</summary>
    public void TransportClosed(string reason)
    {
        if (_transportClosed)
            return;
        using var scope = Enter();
        Terminate(reason);
        _transportClosed = true;
        Output.Discard();
        ReleaseWhenIdle();
    }

    /// <summary>Has the loop call <see cref="Run"/>, and does it there. A connection that has ended does it here and now.</summary>
    internal void Post(Action action) => _mailbox.Post(action);

    internal void Post(TargetTask task) => _mailbox.Post(task);

    /// <summary>Ends the connection without sending what still waits.</summary>
    internal void Close(string reason)
    {
        _closing = true;
        Terminate(reason);
    }

    /// <summary>Ends the connection when all that waits is sent.</summary>
    internal void Finish(string reason) => Terminate(reason);

    /// <summary>The logical unit threw what it may not.</summary>
    internal void Fail(Exception fault) => Fault = fault;

    /// <summary>Ends the connection, and calls back when nothing of it is left.</summary>
    internal void End(string reason, Action ended)
    {
        if (_released)
        {
            ended();
            return;
        }
        (_afterEnd ??= []).Add(ended);
        Close(reason);
    }

    /// <summary>From any loop that holds the session.</summary>
    internal void StartDormant() => Post(_startDormant);

    internal void AbortTasks(Func<TargetTask, bool> which, Action then, Action? found)
    {
        if (_phase is null || _released)
            then();
        else
            _phase.Management.AbortThen(which, then, found);
    }

    internal void EnterFullFeaturePhase(Session session, ushort cid, LoginFacts facts, OperationalParameters parameters)
    {
        Cid = cid;
        _phase = new FullFeaturePhase(this, _node, session, _sender, facts, parameters);
        _login = null;
        _loggedIn?.Invoke(facts);
        // §13.1: from the first PDU after the login on.
        _receiver.HeaderDigest = _sender.HeaderDigest = parameters.HeaderDigest;
        _receiver.DataDigest = _sender.DataDigest = parameters.DataDigest;
    }

    bool IPduSink.Begin(PduHeader header, ReadOnlySpan<byte> additional, out Memory<byte> data)
    {
        using var scope = Enter();
        return _phase is not null ? _phase.Begin(header, additional, out data) : _login!.Begin(header, out data);
    }

    void IPduSink.End(PduHeader header, bool intact)
    {
        if (_terminating)
            return;
        using var scope = Enter();
        if (_phase is not null)
            _phase.End(header, intact);
        else
            _login!.End(header);
    }

    void IPduSink.HeaderDamaged() => Close("a header digest did not fit");

    /// <summary>To iPXE an Async Message is an error that it breaks off for: it hears of nothing but the end.</summary>
    private void Tell(AsyncEvent what, ushort seconds)
    {
        if (!_terminating && _phase is { Session.Facts.IsIpxe: false })
            _phase.Tell(what, seconds);
    }

    private void TellAndDrop(string reason)
    {
        if (_terminating)
            return;
        if (_phase is null)
        {
            Close(reason);
            return;
        }
        // Nothing of the session is kept, so there is nothing to wait for, and nothing to come back to.
        Tell(AsyncEvent.AllConnectionsDropped, 0);
        Finish(reason);
    }

    private void SendKeepAlive()
    {
        if (!_terminating && _phase is { Session.Facts.IsIpxe: false })
            _phase.Nop.KeepAlive();
    }

    /// <summary>Holds the session, where others work on it too.</summary>
    private SessionScope Enter() => Session.Enter(_phase?.Session);

    private void Perform(Action action)
    {
        using var scope = Enter();
        action();
        // It may have ended commands whose memory others wait for.
        _phase?.Runner.Pump();
    }

    private void Completed(TargetTask task)
    {
        using var scope = Enter();
        task.Phase!.Runner.Completed(task);
        ReleaseWhenIdle();
    }

    private void Terminate(string reason)
    {
        if (_terminating)
            return;
        using var scope = Enter();
        _terminating = true;
        _reason = reason;
        _login?.Ended(reason, hungUp: !_closing);
        if (_phase is not null)
        {
            _phase.Runner.Cancel();
            _phase.Abandon();
            _phase.Management.AbortThen(_ => true, () => { });
        }
        ReleaseWhenIdle();
    }

    /// <summary>The connection ends when the logical unit has let go of its last command; with the last connection, the session.</summary>
    private void ReleaseWhenIdle()
    {
        if (!_terminating || _released || _phase is { Runner.Running: > 0 })
            return;
        _released = true;
        _phase?.Runner.Dispose();
        if ((_phase?.Session ?? _login?.Joining) is { } session)
        {
            if (session.Leave(this))
                session.Close(_node, _reason!);
            else if (_phase is not null)
                _node.Observer.Observe(new ConnectionClosed(_phase.Facts, _node.Time.GetUtcNow(), Cid, _reason!));
        }
        _mailbox.Close();
        _afterEnd?.ForEach(ended => ended());
    }
}
