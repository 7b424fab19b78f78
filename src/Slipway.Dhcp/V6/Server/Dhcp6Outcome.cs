using Slipway.Dhcp.Leases;
using Slipway.Dhcp.Server;

namespace Slipway.Dhcp.V6.Server;

/// <summary>
/// What the host does about one packet, in this order: commit, send, observe. A failed commit ends it: nothing is sent, and
/// the client asks again.
/// </summary>
public sealed record Dhcp6Outcome(DhcpEvent Event)
{
    /// <summary>To be durable before the reply leaves.</summary>
    public IReadOnlyList<Lease> Leases { get; init; } = [];

    /// <summary>To where the packet came from, whichever that was (RFC 8415 §18.3.10, §19.3).</summary>
    public byte[]? Reply { get; init; }
}
