using System.Net;
using Slipway.Dhcp.Leases;

namespace Slipway.Dhcp.Server;

/// <summary>
/// What the host does about one packet, in this order: probe, commit, send, observe. A failed commit ends it: nothing is
/// sent, and the client asks again.
/// </summary>
public sealed record DhcpOutcome(DhcpEvent Event)
{
    /// <summary>
    /// Before the reply leaves: does this address answer an ICMP echo? If so, call
    /// <see cref="DhcpServer.ReportConflict"/> and handle the packet again instead.
    /// </summary>
    public IPAddress? Probe { get; init; }

    /// <summary>To be durable before the reply leaves.</summary>
    public Lease? Lease { get; init; }

    public DhcpReply? Reply { get; init; }
}
