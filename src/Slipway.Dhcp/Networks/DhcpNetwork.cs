using System.Net;

namespace Slipway.Dhcp.Networks;

/// <summary>What this server does on a network.</summary>
public enum NetworkMode
{
    /// <summary>Nothing.</summary>
    Off,

    /// <summary>Another server gives addresses; this one tells PXE clients what to boot (PXE 2.1 §2.2.3).</summary>
    Proxy,

    /// <summary>This server gives addresses, and refuses wrong ones.</summary>
    Authoritative,
}

/// <summary>How clients are told apart.</summary>
public enum ClientIdentity
{
    /// <summary>
    /// By network card. Firmware, iPXE and the operating system send three different client identifiers in one boot, and
    /// the disk session of the second is the third's: they need one address.
    /// </summary>
    HardwareAddress,

    /// <summary>By option 61 where it is sent, as RFC 2131 §4.2 has it.</summary>
    ClientIdentifier,
}

/// <summary>One subnet, as an operator describes it. Immutable: <c>DhcpServer.Configure</c> takes new ones.</summary>
public sealed record DhcpNetwork
{
    public required string Name { get; init; }

    public required IPNetwork Subnet { get; init; }

    /// <summary>This server's address as clients of the network reach it: server identifier, and next server by default.</summary>
    public required IPAddress ServerAddress { get; init; }

    /// <summary>The interface whose link it is. Null for a network that is reached by relays only.</summary>
    public string? Interface { get; init; }

    public NetworkMode Mode { get; init; } = NetworkMode.Authoritative;

    public ClientIdentity Identity { get; init; } = ClientIdentity.HardwareAddress;

    public IReadOnlyList<AddressRange> Pool { get; init; } = [];

    public IReadOnlyList<AddressRange> Exclusions { get; init; } = [];

    public IReadOnlyList<Reservation> Reservations { get; init; } = [];

    public IReadOnlyList<IPAddress> Routers { get; init; } = [];

    public IReadOnlyList<IPAddress> DnsServers { get; init; } = [];

    public IReadOnlyList<IPAddress> NtpServers { get; init; } = [];

    /// <summary>Where clients send their syslog, by UDP to port 514.</summary>
    public IReadOnlyList<IPAddress> LogServers { get; init; } = [];

    public string? DomainName { get; init; }

    public ushort? Mtu { get; init; }

    /// <summary>RFC 3442.</summary>
    public IReadOnlyList<StaticRoute> StaticRoutes { get; init; } = [];

    public TimeSpan LeaseTime { get; init; } = TimeSpan.FromHours(12);

    /// <summary>How long an address that a client declined, or that answered a probe, is not given out.</summary>
    public TimeSpan Quarantine { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Whether a fresh address is probed (ICMP echo) before it is offered (RFC 2131 §3.1).</summary>
    public bool DetectConflicts { get; init; } = true;

    /// <summary>Throws with a sentence for the operator where the description contradicts itself.</summary>
    public void Check()
    {
        if (!Subnet.Contains(ServerAddress) && Interface is not null)
            throw new ArgumentException($"network {Name}: the server's address {ServerAddress} is outside {Subnet}");
        if (LeaseTime < TimeSpan.FromSeconds(10) || LeaseTime.TotalSeconds > int.MaxValue)
            throw new ArgumentException($"network {Name}: a lease time of {LeaseTime} is not between 10 seconds and 68 years");
        foreach (var range in Pool)
        {
            if (!Subnet.Contains(range.First) || !Subnet.Contains(range.Last))
                throw new ArgumentException($"network {Name}: the pool {range} is not inside {Subnet}");
        }
        var taken = new HashSet<IPAddress>();
        foreach (var reservation in Reservations)
        {
            if (!Subnet.Contains(reservation.Address))
                throw new ArgumentException($"network {Name}: {reservation.Address} is reserved but outside {Subnet}");
            if (reservation.Address.Equals(ServerAddress))
                throw new ArgumentException($"network {Name}: {reservation.Address} is the server's own address");
            if (!taken.Add(reservation.Address))
                throw new ArgumentException($"network {Name}: {reservation.Address} is reserved twice");
        }
    }
}
