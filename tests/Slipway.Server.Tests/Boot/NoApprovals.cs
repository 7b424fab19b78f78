using Slipway.Fleet.Machines;
using Slipway.Server.Machines;
using Slipway.Server.Site;

namespace Slipway.Server.Tests.Boot;

/// <summary>Nobody is approved.</summary>
internal sealed class NoApprovals : IApprovals
{
    public Task<bool> ApproveByRuleAsync(MacAddress mac, CancellationToken cancellation) => Task.FromResult(false);

    public Task<MachineSettings> ApproveByCertificateAsync(MacAddress mac, string serial, Approval approval, CancellationToken cancellation) =>
        throw new MachineRefusedException("nobody is approved here");
}
