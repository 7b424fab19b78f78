using System.Net;
using Slipway.Iscsi.Pdu;
using Slipway.Iscsi.Target;

namespace Slipway.Server.Iscsi;

/// <summary>A directory that can be made to admit nobody any more, for a while that the initiators may wait for.</summary>
internal sealed class DrainableDirectory(ITargetDirectory directory) : ITargetDirectory
{
    private volatile bool _isDraining;

    public bool IsDraining
    {
        set => _isDraining = value;
    }

    public Admission Admit(LoginFacts facts)
    {
        var admission = directory.Admit(facts);
        // Who is sent elsewhere goes on being sent: that may be what it is drained for.
        return _isDraining && admission.IsGranted ? Admission.Refuse(LoginStatus.ServiceUnavailable, "the target is about to stop") : admission;
    }

    public IReadOnlyList<TargetRecord> Discover(LoginFacts facts) => directory.Discover(facts);

    public ushort PortalGroupOf(IPEndPoint portal) => directory.PortalGroupOf(portal);
}
