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
        Check([.. networks.Select(n => (n.Name, n.Subnet, (Action)n.Check))]);
        return networks;
    }

    /// <summary>Of either family: an address belongs to one network, and no network contradicts itself.</summary>
    /// <param name="networks">Each with its own check, which throws ArgumentException.</param>
    /// <exception cref="SiteConfigurationException">The first that is wrong.</exception>
    public static void Check(IReadOnlyList<(string Name, IPNetwork Subnet, Action Check)> networks)
    {
        foreach (var (index, (name, subnet, check)) in networks.Index())
        {
            foreach (var (otherName, other, _) in networks.Take(index))
            {
                if (other.Contains(subnet.BaseAddress) || subnet.Contains(other.BaseAddress))
                    throw new SiteConfigurationException($"networks {otherName} ({other}) and {name} ({subnet}) overlap: an address must belong to one");
            }
            try
            {
                check();
            }
            catch (ArgumentException e)
            {
                throw new SiteConfigurationException(e.Message, e);
            }
        }
    }

    private static DhcpNetwork Own(NetworkSettings network, IReadOnlyList<MachineSettings> machines) =>
        Describe(network, network.Subnet, network, machines) with
        {
            Interface = network.Interface,
            DetectConflicts = network.Probe,
        };

    // The probe would go out on the wrong link; a relayed client probes its own address (RFC 2131 §4.4.1).
    private static DhcpNetwork Relayed(RelayedSettings relayed, NetworkSettings network, IReadOnlyList<MachineSettings> machines) =>
        Describe(relayed, relayed.Subnet, network, machines) with { DetectConflicts = false };

    private static DhcpNetwork Describe(SubnetSettings settings, IPNetwork subnet, NetworkSettings link, IReadOnlyList<MachineSettings> machines) => new()
    {
        Name = settings.Name,
        Subnet = subnet,
        ServerAddress = link.Address,
        Mode = settings.Mode,
        Identity = settings.Identity,
        Pool = settings.Pool,
        Exclusions = settings.Exclusions,
        Routers = settings.Router is { } router ? [router] : [],
        DnsServers = settings.Dns,
        NtpServers = settings.Ntp,
        // Option 7 names no port.
        LogServers = link.SyslogPort == SlipwayServer.SyslogPort ? [link.Address] : [],
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
