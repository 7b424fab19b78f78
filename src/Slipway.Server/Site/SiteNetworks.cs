using System.Net;
using Slipway.Dhcp.Networks;
using Slipway.Dhcp.Wire;

namespace Slipway.Server.Site;

/// <summary>The site's networks as the DHCP engine takes them: the links, and the subnets behind their relays.</summary>
internal static class SiteNetworks
{
    /// <exception cref="SiteConfigurationException">A network contradicts itself or another.</exception>
    public static IReadOnlyList<DhcpNetwork> Of(SiteConfiguration site)
    {
        var networks = site.Networks.SelectMany(n => n.Relays.Select(r => Relayed(r, n, site.Machines)).Prepend(Own(n, site.Machines))).ToList();
        for (var i = 0; i < networks.Count; i++)
        {
            var (network, subnet) = (networks[i], networks[i].Subnet);
            if (networks.Take(i).FirstOrDefault(o => o.Subnet.Contains(subnet.BaseAddress) || subnet.Contains(o.Subnet.BaseAddress)) is { } other)
                throw new SiteConfigurationException($"networks {other.Name} ({other.Subnet}) and {network.Name} ({subnet}) overlap: an address must belong to one");
            try
            {
                network.Check();
            }
            catch (ArgumentException e)
            {
                throw new SiteConfigurationException(e.Message, e);
            }
        }
        return networks;
    }

    private static DhcpNetwork Own(NetworkSettings network, IReadOnlyList<MachineSettings> machines) =>
        Describe(network, network.Subnet, network.Address, machines) with
        {
            Interface = network.Interface,
            DetectConflicts = network.Probe,
        };

    // The probe would go out on the wrong link; a relayed client probes its own address (RFC 2131 §4.4.1).
    private static DhcpNetwork Relayed(RelayedSettings relayed, NetworkSettings network, IReadOnlyList<MachineSettings> machines) =>
        Describe(relayed, relayed.Subnet, network.Address, machines) with { DetectConflicts = false };

    private static DhcpNetwork Describe(SubnetSettings settings, IPNetwork subnet, IPAddress server, IReadOnlyList<MachineSettings> machines) => new()
    {
        Name = settings.Name,
        Subnet = subnet,
        ServerAddress = server,
        Mode = settings.Mode,
        Identity = settings.Identity,
        Pool = settings.Pool,
        Exclusions = settings.Exclusions,
        Routers = settings.Router is { } router ? [router] : [],
        DnsServers = settings.Dns,
        NtpServers = settings.Ntp,
        DomainName = settings.Domain,
        Mtu = settings.Mtu,
        StaticRoutes = settings.Routes,
        LeaseTime = settings.LeaseTime,
        Reservations =
        [
            .. settings.Reservations,
            .. machines.Where(m => m.Address is not null && subnet.Contains(m.Address)).Select(m =>
                new Reservation(m.Address!) { Hardware = HardwareAddress.Parse(m.Mac.ToString()), HostName = m.Name }),
        ],
    };
}
