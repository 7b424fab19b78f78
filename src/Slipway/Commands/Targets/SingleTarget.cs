using System.Net;
using Slipway.Iscsi.Chap;
using Slipway.Iscsi.Pdu;
using Slipway.Iscsi.Target;
using Slipway.Scsi;

namespace Slipway.Commands.Targets;

/// <summary>One target for everybody who is let in and has the secret; for everybody where nothing is asked.</summary>
internal sealed class SingleTarget(string name, ScsiTargetDevice device, ChapPolicy? chap, PortalPolicy policy) : ITargetDirectory, ITargetObserver
{
    public Admission Admit(LoginFacts facts)
    {
        if (policy.Access.Refusal(facts) is { } reason)
            return Admission.Refuse(LoginStatus.AuthorizationFailure, reason);
        if (facts.SessionType == SessionType.Discovery)
            return Admission.Grant(null, chap);
        if (facts.TargetName != name)
            return Admission.Refuse(LoginStatus.NotFound, $"there is no target {facts.TargetName} here, only {name}");
        return policy.Redirect is { } portal
            ? Admission.Redirect(portal.Port == 0 ? new(portal.Address, Portal.DefaultPort) : portal, permanently: false)
            : Admission.Grant(device, chap);
    }

    public IReadOnlyList<TargetRecord> Discover(LoginFacts facts) => [new(name, policy.Advertised)];

    public void Observe(TargetEvent e)
    {
        // The listener logs each; nobody else asks.
    }
}

/// <summary>Who is let in, and where initiators are told to go.</summary>
/// <param name="Advertised">As in <see cref="TargetRecord"/>.</param>
/// <param name="Redirect">Where set, every login is sent there.</param>
internal sealed record PortalPolicy(InitiatorAccess Access, IReadOnlyList<IPEndPoint> Advertised, IPEndPoint? Redirect);
