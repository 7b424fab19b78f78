using System.Net;
using Slipway.Dhcp.Networks;
using Slipway.Dhcp.V6.Server;
using Slipway.Dhcp.Wire;

namespace Slipway.Server.Site;

/// <summary>The IPv6 side of a network: where machines reach this server by it, and what DHCPv6 gives.</summary>
public sealed record Ipv6Settings
{
    /// <summary>The server's own address, not a link-local one.</summary>
    public required IPAddress Address { get; init; }

    public required IPNetwork Subnet { get; init; }

    public NetworkMode Mode { get; init; } = NetworkMode.Authoritative;

    /// <summary>The first and the last address to give; null: only reserved ones.</summary>
    public (IPAddress First, IPAddress Last)? Pool { get; init; }

    public IReadOnlyList<IPAddress> Dns { get; init; } = [];

    public IReadOnlyDictionary<HardwareAddress, IPAddress> Reservations { get; init; } = new Dictionary<HardwareAddress, IPAddress>();

    /// <summary>Subnets whose relays send to <see cref="Address"/>, with the addresses that their machines get.</summary>
    public IReadOnlyList<Ipv6Relayed> Relays { get; init; } = [];

    /// <summary>Its link's, and those behind relays.</summary>
    public IEnumerable<IPNetwork> Subnets => Relays.Select(r => r.Subnet).Prepend(Subnet);

    /// <summary>The site's networks that have an IPv6 side, as the engine takes them.</summary>
    /// <exception cref="SiteConfigurationException">A network contradicts itself or another.</exception>
    internal static IReadOnlyList<Dhcp6Network> NetworksOf(SiteConfiguration site)
    {
        var networks = site.Networks.Where(n => n.Ipv6 is not null)
            .SelectMany(n => n.Ipv6!.Relays.Select(r => Relayed(n, n.Ipv6, r)).Prepend(Own(n, n.Ipv6))).ToList();
        SiteNetworks.Check([.. networks.Select(n => (n.Name, n.Subnet, (Action)n.Check))]);
        return networks;
    }

    private static Dhcp6Network Own(NetworkSettings network, Ipv6Settings ipv6) => new()
    {
        Name = network.Name,
        Interface = network.Interface,
        Subnet = ipv6.Subnet,
        ServerAddress = ipv6.Address,
        Mode = ipv6.Mode,
        Identity = network.Identity,
        Pool = ipv6.Pool,
        DnsServers = ipv6.Dns,
        DomainName = network.Domain,
        LeaseTime = network.LeaseTime,
        Reservations = ipv6.Reservations.Where(r => ipv6.Subnet.Contains(r.Value)).ToDictionary(),
    };

    private static Dhcp6Network Relayed(NetworkSettings network, Ipv6Settings ipv6, Ipv6Relayed relayed) => Own(network, ipv6) with
    {
        Name = relayed.Name,
        Interface = null,
        Subnet = relayed.Subnet,
        Pool = relayed.Pool,
        Reservations = ipv6.Reservations.Where(r => relayed.Subnet.Contains(r.Value)).ToDictionary(),
    };
}

/// <summary>An IPv6 subnet that only a relay reaches.</summary>
public sealed record Ipv6Relayed(string Name, IPNetwork Subnet, (IPAddress First, IPAddress Last)? Pool);
