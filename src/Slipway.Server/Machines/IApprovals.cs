using Slipway.Fleet.Machines;
using Slipway.Server.Site;

namespace Slipway.Server.Machines;

/// <summary>How a machine that nobody approved comes to be approved when it asks for its script.</summary>
internal interface IApprovals
{
    /// <summary>False where no rule fits, or what the rule says cannot be done.</summary>
    Task<bool> ApproveByRuleAsync(MacAddress mac, CancellationToken cancellation);

    /// <exception cref="MachineRefusedException">It cannot be; nothing changed.</exception>
    Task<MachineSettings> ApproveByCertificateAsync(MacAddress mac, string serial, Approval approval, CancellationToken cancellation);
}
