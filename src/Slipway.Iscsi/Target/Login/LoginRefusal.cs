using System.Net;
using Slipway.Iscsi.Pdu;

namespace Slipway.Iscsi.Target.Login;

/// <summary>Why a login ends: what goes on the wire, and what goes to the log.</summary>
internal sealed record LoginRefusal(LoginStatus Status, RefusalKind Kind, string Reason)
{
    /// <summary>Where the initiator is sent instead (RFC 7143 §13.8).</summary>
    public IPEndPoint? Elsewhere { get; init; }

    public static LoginRefusal Protocol(string reason, LoginStatus status = LoginStatus.InitiatorError) =>
        new(status, RefusalKind.Protocol, reason);
}
