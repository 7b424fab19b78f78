using Slipway.Iscsi.Chap;
using Slipway.Iscsi.Pdu;
using Slipway.Iscsi.Target;
using Slipway.Scsi;

namespace Slipway.Commands.Targets;

/// <summary>One target for everybody who has the secret, or for everybody where there is none.</summary>
internal sealed class SingleTarget(string name, ScsiTargetDevice device, ChapPolicy? chap) : ITargetDirectory, ITargetObserver
{
    public Admission Admit(LoginFacts facts)
    {
        if (facts.SessionType == SessionType.Discovery)
            return Admission.Grant(null, chap);
        return facts.TargetName == name
            ? Admission.Grant(device, chap)
            : Admission.Refuse(LoginStatus.NotFound, $"there is no target {facts.TargetName} here, only {name}");
    }

    public IReadOnlyList<TargetRecord> Discover(LoginFacts facts) => [new(name, [])];

    public void Observe(TargetEvent e)
    {
        // The listener logs each; nobody else asks.
    }
}
