using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Slipway.Dhcp.Networks;
using Slipway.Server.Dhcp;
using Slipway.Server.Site;

namespace Slipway.Server.Diagnosis;

internal static class NetworkChecks
{
    // dnsmasq waits three seconds for an echo before it offers an address.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static IEnumerable<Finding> Interfaces(SiteConfiguration site)
    {
        if (site.Networks.Count == 0)
            yield return new("networks", Health.Failure, "there is none", "add networks: to slipway.yaml");
        var present = NetworkInterface.GetAllNetworkInterfaces();
        foreach (var network in site.Networks)
        {
            var subject = $"network {network.Name}";
            if (present.FirstOrDefault(i => i.Name == network.Interface) is not { } card)
            {
                yield return new(subject, Health.Failure, $"there is no interface {network.Interface}",
                    present.Where(i => i.NetworkInterfaceType != NetworkInterfaceType.Loopback).Select(i => i.Name).ToList() is { Count: > 0 } others
                        ? $"name one of {string.Join(", ", others)}"
                        : "this host has none but lo: ip link shows what the kernel found");
                continue;
            }
            if (!IsSwitchedOn(card.Name))
                yield return new(subject, Health.Failure, $"{card.Name} is down", $"ip link set {card.Name} up");
            else if (!HasLink(card))
                yield return new(subject, Health.Warning, $"{card.Name} has no link", "look at the cable, and at the switch's port; a bridge has none as long as no machine is on it");
            var addresses = card.GetIPProperties().UnicastAddresses;
            foreach (var address in network.Addresses)
            {
                var length = address.AddressFamily == AddressFamily.InterNetwork ? network.PrefixLength : network.Ipv6!.Subnet.PrefixLength;
                if (addresses.FirstOrDefault(a => a.Address.Equals(address)) is not { } found)
                    yield return new(subject, Health.Failure, $"{card.Name} does not have the address {address}", $"ip address add {address}/{length} dev {card.Name}, and the same where the host keeps its network settings");
                else if (found.PrefixLength != length)
                    yield return new(subject, Health.Warning, $"{card.Name} has {address}/{found.PrefixLength}, and slipway.yaml says /{length}", "write the same length in both places");
                else
                    yield return new(subject, Health.Ok, $"{card.Name} has {address}/{length}");
            }
        }
    }

    /// <summary>One DISCOVER on each network whose addresses this server gives, or leaves to another.</summary>
    public static async Task<IEnumerable<Finding>> OtherServersAsync(SiteConfiguration site, TimeProvider clock, ILogger logger, CancellationToken cancellation)
    {
        var own = site.Networks.Select(n => n.Address).ToHashSet();
        var present = NetworkInterface.GetAllNetworkInterfaces().Where(HasLink).Select(i => i.Name).ToHashSet();
        return await Task.WhenAll(site.Networks.Where(n => n.Mode != NetworkMode.Off && present.Contains(n.Interface)).Select(async network =>
        {
            var subject = $"DHCP on {network.Interface}";
            if (await OtherServerWatch.FindAsync(network.Interface, own, Patience, clock, logger, cancellation) is not { } heard)
                return new Finding(subject, Health.Warning, "other servers cannot be looked for without CAP_NET_RAW", "run slipway doctor as root");
            var others = heard.Distinct().ToList();
            return (network.Mode, others) switch
            {
                (NetworkMode.Authoritative, []) => new(subject, Health.Ok, "no other server answers"),
                (NetworkMode.Authoritative, _) => new(subject, Health.Failure, $"{Name(others)} answers, too: machines take what they hear first",
                    "switch it off on this network, or write mode: proxy to work beside it (slipway explain SLP2001)"),
                (_, []) => new(subject, Health.Failure, "no server answers, and a proxy gives no addresses", "start the network's DHCP server, or write mode: authoritative"),
                _ => new(subject, Health.Ok, $"{Name(others)} gives the addresses"),
            };
        }));
    }

    private static bool HasLink(NetworkInterface card) => card.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown;

    // IFF_UP, netdevice(7). /sys shows the cards of the network namespace that it was mounted in, which may be another than this process's.
    private static bool IsSwitchedOn(string name)
    {
        var flags = $"/sys/class/net/{name}/flags";
        return !File.Exists(flags) || (int.Parse(File.ReadAllText(flags).AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture) & 1) != 0;
    }

    private static string Name(List<IPAddress> servers) => string.Join(", ", servers);
}
