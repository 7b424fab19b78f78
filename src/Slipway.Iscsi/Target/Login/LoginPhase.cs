using System.Buffers;
using System.Net;
using Slipway.Iscsi.Pdu;
using Slipway.Iscsi.Text;

namespace Slipway.Iscsi.Target.Login;

/// <summary>
/// The login phase of one connection (RFC 7143 §6.3, §11.12, §11.13): requests in, one answer to each. It knows nothing of
/// bytes on the way, sessions or sequence numbers; the connection does.
/// </summary>
internal sealed class LoginPhase(TargetNode node, IPEndPoint remote, IPEndPoint portal)
{
    private readonly ArrayBufferWriter<byte> _text = new();
    private Negotiator? _negotiator;
    private SecurityStage? _security;
    private LoginStage _stage;
    private uint _tag;
    private ulong _isid;
    private ushort _tsih;
    private int _requests;
    private bool _declared;

    /// <summary>Null until the initiator has named itself.</summary>
    public LoginFacts? Facts { get; private set; }

    /// <summary>Null until the directory has admitted the initiator.</summary>
    public Admission? Admission { get; private set; }

    public OperationalParameters Parameters { get; } = new();

    public ushort Cid { get; private set; }

    /// <summary>The target has proved itself, and nothing was heard since: hanging up now means that the proof was refused.</summary>
    public bool AwaitsVerdict { get; private set; }

    public SessionFacts Session => new(_security?.Algorithm, _security?.IsMutual ?? false, Parameters.HeaderDigest, Parameters.DataDigest,
        Parameters.PeerMaxRecvDataSegmentLength, Parameters.MaxBurstLength, Parameters.FirstBurstLength, Parameters.InitialR2T, Parameters.ImmediateData);

    /// <summary>
    /// Takes one request. Null: <paramref name="answer"/> and <paramref name="transit"/> (to the stage asked for) are
    /// the response. Otherwise the login is over, refused.
    /// </summary>
    public LoginRefusal? Handle(LoginRequestPdu request, ReadOnlySpan<byte> segment, TextKeys answer, out bool transit)
    {
        transit = false;
        AwaitsVerdict = false;
        if (CheckHeader(request) is { } invalid)
            return invalid;
        if (_text.WrittenCount + segment.Length > node.Limits.TextLength)
            return LoginRefusal.Protocol($"the login text is longer than {node.Limits.TextLength} bytes");
        _text.Write(segment);
        // §6.2: more of the same text follows; the answer to this part is empty.
        if (request.Continue)
            return null;
        var keys = new TextKeys();
        var parsed = TextKeys.TryParse(_text.WrittenSpan, keys, out var error);
        _text.ResetWrittenCount();
        if (!parsed)
            return LoginRefusal.Protocol(error!);
        if ((Admission is null ? Admit(keys, answer) : LoginNames.CheckRepeated(keys, Facts!)) is { } refused)
            return refused;
        var refusal = _stage == LoginStage.SecurityNegotiation ? Secure(keys, answer) : Operate(keys, answer);
        if (refusal is not null || !request.Transit)
            return refusal;
        return Leave(request.NextStage, out transit);
    }

    private LoginRefusal? CheckHeader(LoginRequestPdu request)
    {
        if (++_requests > node.Limits.LoginRequests)
            return LoginRefusal.Protocol($"the login takes more than {node.Limits.LoginRequests} requests");
        // §11.12.4: version 0 is the only one there is.
        if (request.VersionMin > 0)
            return LoginRefusal.Protocol($"the initiator speaks no version below {request.VersionMin}", LoginStatus.UnsupportedVersion);
        if (request.CurrentStage is not (LoginStage.SecurityNegotiation or LoginStage.OperationalNegotiation))
            return LoginRefusal.Protocol("a login request in a stage that does not exist", LoginStatus.InvalidDuringLogin);
        if (_requests == 1)
        {
            _stage = request.CurrentStage;
            _tag = request.InitiatorTaskTag;
            _isid = request.Isid;
            Cid = request.Cid;
            _tsih = request.Tsih;
        }
        else if (request.InitiatorTaskTag != _tag || request.Isid != _isid || request.Cid != Cid || request.Tsih != _tsih)
        {
            return LoginRefusal.Protocol("ISID, TSIH, CID or task tag changed during the login", LoginStatus.InvalidDuringLogin);
        }
        if (request.CurrentStage != _stage)
            return LoginRefusal.Protocol($"a login request for stage {request.CurrentStage} in stage {_stage}", LoginStatus.InvalidDuringLogin);
        if (request is { Transit: true, Continue: true })
            return LoginRefusal.Protocol("a login request with both T and C");
        if (request.Transit && (request.NextStage <= _stage || request.NextStage is not (LoginStage.OperationalNegotiation or LoginStage.FullFeaturePhase)))
            return LoginRefusal.Protocol($"no way from stage {_stage} to {request.NextStage}", LoginStatus.InvalidDuringLogin);
        return null;
    }

    private LoginRefusal? Admit(TextKeys keys, TextKeys answer)
    {
        var incomplete = LoginNames.TryTake(keys, out var names);
        if (names.Initiator.Length > 0)
            Facts = new(remote, portal, names.Initiator, names.Target, names.SessionType, _isid) { InitiatorAlias = names.Alias, PortalGroup = node.Directory.PortalGroupOf(portal) };
        if (incomplete is not null)
            return incomplete;
        var admission = node.Directory.Admit(Facts!);
        if (!admission.IsGranted)
            return new(admission.Status, admission.Kind, admission.Reason) { Elsewhere = admission.Elsewhere };
        if (names.SessionType == SessionType.Normal && admission.Device is null)
            return new(LoginStatus.TargetError, RefusalKind.Other, $"{names.Target} has no device behind it");
        Admission = admission;
        _security = new SecurityStage(admission.Chap, admission.IsChapOptional, node.Randomness);
        _negotiator = new Negotiator(node.Limits.Offer, Parameters)
        {
            Discovery = names.SessionType == SessionType.Discovery,
            Joining = _tsih != 0,
        };
        // §13.9: in the first response to a login that names a target.
        if (names.SessionType == SessionType.Normal)
            answer.Add(Keys.TargetPortalGroupTag, TextValues.Number(Facts!.PortalGroup));
        return null;
    }

    private LoginRefusal? Secure(TextKeys keys, TextKeys answer)
    {
        if (_security!.Handle(keys, answer) is { } refusal)
            return refusal;
        Facts = Facts! with { ProvedName = _security.ProvedName };
        AwaitsVerdict = _security.IsMutual && answer[Keys.ChapResponse] is not null;
        return Negotiate(keys, answer, KeyUse.Security);
    }

    private LoginRefusal? Operate(TextKeys keys, TextKeys answer)
    {
        if (!_security!.IsSatisfied)
            return SecurityStage.Unproved;
        if (Negotiate(keys, answer, KeyUse.Operational) is { } refusal)
            return refusal;
        // Where the initiator's own value was refused, the key is in this answer already.
        if (_declared || answer[Keys.MaxRecvDataSegmentLength] is not null)
            return null;
        _declared = true;
        answer.Add(Keys.MaxRecvDataSegmentLength, TextValues.Number((uint)node.Limits.Offer.MaxRecvDataSegmentLength));
        return null;
    }

    private LoginRefusal? Negotiate(TextKeys keys, TextKeys answer, KeyUse where) =>
        _negotiator!.Answer(keys, answer, where) is { } error ? LoginRefusal.Protocol(error) : null;

    private LoginRefusal? Leave(LoginStage next, out bool transit)
    {
        transit = false;
        if (_stage == LoginStage.SecurityNegotiation && !_security!.IsSatisfied)
            return _security.IsUnderWay ? null : SecurityStage.Unproved;
        transit = true;
        _stage = next;
        return null;
    }
}
