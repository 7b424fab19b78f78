using Slipway.Iscsi.Pdu;

namespace Slipway.Iscsi.Target.FullFeature;

/// <summary>Logout Requests (RFC 7143 §11.14, §11.15): of the session, of this connection, or of another of the session's.</summary>
internal sealed class Logout(FullFeaturePhase phase)
{
    private const string LoggedOut = "the initiator logged out";

    public void Handle(LogoutRequestPdu request)
    {
        var (tag, cid) = (request.InitiatorTaskTag, request.Cid);
        switch (request.Reason)
        {
            case LogoutReason.CloseSession:
                phase.Session.Seal();
                Leave(tag, with: phase.Session.Connections(except: phase.Connection));
                break;
            case LogoutReason.CloseConnection when cid == phase.Connection.Cid:
                Leave(tag, with: []);
                break;
            case LogoutReason.CloseConnection when phase.Session.WithCid(cid) is { } other:
                phase.Management.EndThen([other], LoggedOut, _ => false, () => Answer(tag, LogoutResult.Closed));
                break;
            case LogoutReason.CloseConnection:
                Answer(tag, LogoutResult.CidNotFound);
                break;
            case LogoutReason.RemoveForRecovery:
                Answer(tag, LogoutResult.RecoveryNotSupported);
                break;
            default:
                phase.Reject(request.Header, RejectReason.InvalidPduField);
                break;
        }
    }

    /// <summary>§11.14: the answer comes when nothing is left running.</summary>
    private void Leave(uint tag, List<TargetConnection> with) => phase.Management.EndThen(with, LoggedOut, _ => true, () =>
    {
        Answer(tag, LogoutResult.Closed);
        phase.Connection.Finish(LoggedOut);
    });

    private void Answer(uint tag, LogoutResult result)
    {
        if (phase.Connection.IsEnding)
            return;
        Span<byte> bytes = stackalloc byte[PduHeader.Size];
        var answer = LogoutResponsePdu.Begin(bytes);
        answer.InitiatorTaskTag = tag;
        answer.Response = result;
        phase.Sender.Send(bytes, [], status: true);
    }
}
