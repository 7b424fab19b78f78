using Slipway.Dhcp.Leases;

namespace Slipway.Server.Api;

/// <param name="Machine">The machine's name; null where none has this network card.</param>
/// <param name="State"><c>bound</c>, <c>ended</c>, <c>released</c> or <c>declined</c>.</param>
internal sealed record LeaseView(string Address, string Network, string Hardware, string? Machine, string State, DateTimeOffset Start, DateTimeOffset End, string? HostName)
{
    public static LeaseView Of(Lease lease, string? machine, DateTimeOffset now) => new(
        lease.Address.ToString(), lease.Network, lease.Hardware.ToString(), machine,
        lease.State == LeaseState.Bound && lease.End <= now ? "ended" : lease.State.ToString().ToLowerInvariant(), lease.Start, lease.End, lease.HostName);
}
