using System.Net;
using Slipway.Iscsi.Pdu;
using Slipway.Iscsi.Target.FullFeature;
using Slipway.Iscsi.Target.Login;
using Slipway.Iscsi.Text;

namespace Slipway.Iscsi.Target;

/// <summary>The login of a connection: PDUs to and from <see cref="LoginPhase"/>, and the session that comes of it.</summary>
internal sealed class LoginSteps(TargetConnection connection, TargetNode node, PduSender sender, IPEndPoint remote, IPEndPoint portal)
{
    private byte[] _segment = [];

    // The last response, which may have to wait.
    private byte[] _final = [];
    private byte[] _answer = [];
    private bool _refused;

    public LoginPhase Phase { get; } = new(node, remote, portal);

    /// <summary>The last answer waits until an older session of the same initiator has ended.</summary>
    public bool IsSuspended { get; private set; }

    /// <summary>The session that the connection is for, where it is not to make one.</summary>
    public Session? Joining { get; private set; }

    public bool Begin(PduHeader header, out Memory<byte> data)
    {
        data = default;
        if (header.Opcode != Opcode.LoginRequest)
        {
            // RFC 7143 §6.3: nothing but login requests before the full feature phase.
            connection.Close($"a {header.Opcode} PDU before the login");
            return false;
        }
        // Nothing was declared yet that would allow more (§13.12).
        if (header.DataSegmentLength > OperationalParameters.DefaultMaxRecvDataSegmentLength)
        {
            Refuse(new(header.Bytes), LoginRefusal.Protocol($"a login request announces {header.DataSegmentLength} bytes of data"));
            return false;
        }
        data = _segment = new byte[header.DataSegmentLength];
        return true;
    }

    public void End(PduHeader header)
    {
        var request = new LoginRequestPdu(header.Bytes);
        // The first CmdSN of the session is that of its login (§4.2.2.1); login requests are immediate and take none.
        sender.Window ??= new CommandWindow(request.CmdSN, request.Tsih == 0 ? node.Limits.SessionTasks : 0);
        var answer = new TextKeys();
        var refusal = Phase.Handle(request, _segment, answer, out var transit);
        _segment = [];
        if (refusal is not null)
        {
            Refuse(request, refusal);
            return;
        }
        if (request.Tsih != 0 && Joining is null && Phase.Facts is not null)
        {
            // §6.3.1: a session of the same initiator port with the same target, or none.
            if (node.Sessions.Find(request.Tsih) is not { } session || session.Key != Key)
            {
                Refuse(request, LoginRefusal.Protocol("no session has this handle and these names", LoginStatus.SessionDoesNotExist));
                return;
            }
            Joining = session;
            sender.Window = session.Window;
        }
        Span<byte> bytes = stackalloc byte[PduHeader.Size];
        var response = Respond(bytes, request);
        response.Transit = transit;
        response.NextStage = transit ? request.NextStage : LoginStage.SecurityNegotiation;
        if (transit && request.NextStage == LoginStage.FullFeaturePhase)
            Establish(request, response, answer);
        else
            Send(bytes, answer);
    }

    private void Send(Span<byte> bytes, TextKeys text)
    {
        using var scope = Session.Enter(Joining);
        sender.Send(bytes, text.ToBytes(), status: true);
    }

    private SessionKey Key => new(Phase.Facts!.InitiatorName, Phase.Facts.Isid, Phase.Facts.TargetName ?? "", Phase.Facts.PortalGroup);

    /// <summary>The connection ended before the login did.</summary>
    public void Ended(string reason, bool hungUp)
    {
        if (_refused || Phase.Facts is not { } facts)
            return;
        _refused = true;
        node.Observer.Observe(Phase.AwaitsVerdict && hungUp
            ? new Refused(facts, node.Time.GetUtcNow(), LoginStatus.AuthenticationFailure, RefusalKind.ReverseRefused,
                "the initiator hung up after the target's CHAP response: it has another reverse secret or name")
            : new Refused(facts, node.Time.GetUtcNow(), LoginStatus.InitiatorError, RefusalKind.Abandoned, reason));
    }

    private void Refuse(LoginRequestPdu request, LoginRefusal refusal)
    {
        _refused = true;
        Span<byte> bytes = stackalloc byte[PduHeader.Size];
        var response = Respond(bytes, request);
        response.Status = refusal.Status;
        var text = new TextKeys();
        // §13.8: without a portal group tag.
        if (refusal.Elsewhere is { } portal)
            text.Add(Keys.TargetAddress, Portal.Text(portal));
        Send(bytes, text);
        if (Phase.Facts is { } facts)
            node.Observer.Observe(new Refused(facts, node.Time.GetUtcNow(), refusal.Status, refusal.Kind, refusal.Reason));
        connection.Finish(refusal.Reason);
    }

    private static LoginResponsePdu Respond(Span<byte> bytes, LoginRequestPdu request)
    {
        var response = LoginResponsePdu.Begin(bytes);
        response.CurrentStage = request.CurrentStage;
        response.Isid = request.Isid;
        response.Tsih = request.Tsih;
        response.InitiatorTaskTag = request.InitiatorTaskTag;
        return response;
    }

    private void Establish(LoginRequestPdu request, LoginResponsePdu response, TextKeys answer)
    {
        var tsih = request.Tsih == 0 ? node.Sessions.NewHandle() : request.Tsih;
        if (tsih == 0)
        {
            Refuse(request, new(LoginStatus.OutOfResources, RefusalKind.Other, "all session handles are taken"));
            return;
        }
        response.Tsih = tsih;
        (_final, _answer) = (response.Header.Bytes.ToArray(), answer.ToBytes());
        if (request.Tsih == 0)
            Claim(tsih);
        else
            Join();
    }

    /// <summary>A new session; what had its name before ends first (§6.3.5).</summary>
    private void Claim(ushort tsih)
    {
        var facts = Phase.Facts!;
        var session = new Session(Key, tsih, facts, Phase.Parameters, Phase.Admission!.Device, sender.Window!, connection, Phase.Cid);
        if (facts.SessionType == SessionType.Normal && node.Sessions.Claim(session) is { } older)
        {
            IsSuspended = true;
            older.End("the initiator logged in again (session reinstatement)", () => connection.Post(() => Resume(tsih)));
            return;
        }
        session.Open();
        Enter(session);
        node.Observer.Observe(new LoggedIn(facts, node.Time.GetUtcNow(), Phase.Session));
    }

    /// <summary>Another connection of a session that is there (§6.3.3); one with its CID ends first (§6.3.4).</summary>
    private void Join()
    {
        var session = Joining!;
        // What the answer repeats of the request lies in the same places.
        var request = new LoginRequestPdu(_final);
        switch (session.Join(connection, Phase.Cid, out var older))
        {
            case JoinResult.Waits:
                IsSuspended = true;
                older!.Post(() => older.End("the initiator logged this connection in again (connection reinstatement)", () => connection.Post(() => Resume(0))));
                return;
            case JoinResult.Full:
                Refuse(request, LoginRefusal.Protocol($"the session has the {session.Parameters.MaxConnections} connections that were agreed on", LoginStatus.TooManyConnections));
                return;
            case JoinResult.Ended:
                Refuse(request, LoginRefusal.Protocol("the session has ended", LoginStatus.SessionDoesNotExist));
                return;
        }
        Phase.Parameters.Join(session.Parameters);
        Enter(session);
        node.Observer.Observe(new ConnectionAdded(Phase.Facts!, node.Time.GetUtcNow(), Phase.Cid, Phase.Session));
    }

    private void Enter(Session session)
    {
        using var scope = Session.Enter(session);
        sender.Send(_final, _answer, status: true);
        connection.EnterFullFeaturePhase(session, Phase.Cid, Phase.Facts!, Phase.Parameters);
    }

    /// <param name="tsih">The handle of a new session; 0 where the connection joins one.</param>
    private void Resume(ushort tsih)
    {
        IsSuspended = false;
        if (_refused)
            node.Sessions.ReleaseHandle(tsih);
        else if (tsih == 0)
            Join();
        else
            Claim(tsih);
    }
}
