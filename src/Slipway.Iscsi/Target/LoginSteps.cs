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
    private byte[] _final = [];
    private byte[] _answer = [];
    private bool _refused;

    public LoginPhase Phase { get; } = new(node, remote, portal);

    /// <summary>The last answer waits until an older session of the same initiator has ended.</summary>
    public bool IsSuspended { get; private set; }

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
        sender.Window ??= new CommandWindow(request.CmdSN, node.Limits.SessionTasks);
        var answer = new TextKeys();
        var refusal = Phase.Handle(request, _segment, answer, out var transit);
        _segment = [];
        if (refusal is not null)
        {
            Refuse(request, refusal);
            return;
        }
        Span<byte> bytes = stackalloc byte[PduHeader.Size];
        var response = Respond(bytes, request);
        response.Transit = transit;
        response.NextStage = transit ? request.NextStage : LoginStage.SecurityNegotiation;
        if (transit && request.NextStage == LoginStage.FullFeaturePhase)
            Establish(request, response, answer);
        else
            sender.Send(bytes, answer.ToBytes(), status: true);
    }

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
        sender.Send(bytes, text.ToBytes(), status: true);
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
        if (Phase.Tsih != 0)
        {
            // §6.3.3: one connection per session was agreed on, and no other was there to agree.
            Refuse(request, node.Sessions.Knows(Phase.Tsih)
                ? LoginRefusal.Protocol("a second connection for a session that may have one", LoginStatus.TooManyConnections)
                : LoginRefusal.Protocol("no session has this handle", LoginStatus.SessionDoesNotExist));
            return;
        }
        var tsih = node.Sessions.NewHandle();
        if (tsih == 0)
        {
            Refuse(request, new(LoginStatus.OutOfResources, RefusalKind.Other, "all session handles are taken"));
            return;
        }
        response.Tsih = tsih;
        (_final, _answer) = (response.Header.Bytes.ToArray(), answer.ToBytes());
        Claim(tsih);
    }

    private void Claim(ushort tsih)
    {
        var facts = Phase.Facts!;
        var key = new SessionKey(facts.InitiatorName, facts.Isid, facts.TargetName ?? "", LoginPhase.PortalGroupTag);
        if (facts.SessionType == SessionType.Normal && node.Sessions.Claim(key, connection) is { } older)
        {
            IsSuspended = true;
            older.Post(() => older.End("the initiator logged in again (session reinstatement)", () => connection.Post(() => Resume(tsih))));
            return;
        }
        var session = new Session(key, tsih, facts, Phase.Parameters, Phase.Admission!.Device, sender.Window!);
        sender.Send(_final, _answer, status: true);
        connection.EnterFullFeaturePhase(session, Phase.Cid);
        node.Observer.Observe(new LoggedIn(facts, node.Time.GetUtcNow(), Phase.Session));
    }

    private void Resume(ushort tsih)
    {
        IsSuspended = false;
        if (_refused)
            node.Sessions.ReleaseHandle(tsih);
        else
            Claim(tsih);
    }
}
