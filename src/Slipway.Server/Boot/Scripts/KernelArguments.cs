using System.Globalization;
using System.Net;
using Slipway.Fleet.Credentials;
using Slipway.Fleet.Machines;

namespace Slipway.Server.Boot.Scripts;

/// <summary>
/// The disk's parameters as kernel arguments, under the names that open-iscsi's initramfs hook of Debian reads, and where
/// to say that the machine is up. That hook knows one portal, no VLAN and no IPv6: where there is more, dracut's arguments
/// (dracut.cmdline(7)) say it all beside.
/// </summary>
public static class KernelArguments
{
    // As an interface's name leaves room for a tag: 15 characters (Linux, IFNAMSIZ).
    private const string Card = "slipway";

    /// <param name="client">The machine's own address with its subnet's length, which it keeps where the portal's is an IPv6 address.</param>
    public static string Of(
        IscsiNames names, BootCredentials credentials, MacAddress card, (IPAddress Address, int PrefixLength) client, IReadOnlyList<StoragePortal> portals, Uri up)
    {
        var first = portals[0].EndPoint;
        string[] arguments =
        [
            $"ISCSI_INITIATOR={names.Initiator}",
            $"ISCSI_TARGET_NAME={names.Target}",
            $"ISCSI_TARGET_IP={first.Address}",
            $"ISCSI_TARGET_PORT={first.Port}",
            "ISCSI_TARGET_GROUP=1",
            $"ISCSI_USERNAME={credentials.User}",
            $"ISCSI_PASSWORD={credentials.Secret}",
            $"ISCSI_IN_USERNAME={credentials.ReverseUser}",
            $"ISCSI_IN_PASSWORD={credentials.ReverseSecret}",
            Up(up),
        ];
        var vlans = portals.Select(p => p.Network?.Vlan).OfType<ushort>().ToList();
        if (vlans.Count == 0 && portals.Count == 1 && !portals[0].IsIpv6)
            return string.Join(' ', [.. arguments, "ip=dhcp"]);
        return string.Join(' ',
        [
            .. arguments,
            $"rd.iscsi.initiator={names.Initiator}",
            .. portals.Select(p => $"netroot=iscsi:{credentials.User}:{credentials.Secret}:{credentials.ReverseUser}:{credentials.ReverseSecret}@{p.Host}::{p.EndPoint.Port}:0:{names.Target}"),
            .. portals[0].IsIpv6 ? Fixed(card, client) : vlans.Count == 0 ? ["ip=dhcp"] : Tagged(card, vlans),
        ]);
    }

    /// <summary>Where to say that the machine is up.</summary>
    public static string Up(Uri up) => $"slipway_up={up}";

    // Routes are the router's to tell. An initial RAM disk seldom has a DHCPv6 client, and an address that one gives ends
    // with its lease, and the root with it.
    private static IEnumerable<string> Fixed(MacAddress card, (IPAddress Address, int PrefixLength) client) =>
        [Named(card), string.Create(CultureInfo.InvariantCulture, $"ip=[{client.Address}]:::{client.PrefixLength}::{Card}:none")];

    private static IEnumerable<string> Tagged(MacAddress card, List<ushort> vlans)
    {
        yield return Named(card);
        // dracut wants to know which of several is the one of the root.
        if (vlans.Count > 1)
            yield return $"bootdev={Device(vlans[0])}";
        foreach (var vlan in vlans)
        {
            yield return $"vlan={Device(vlan)}:{Card}";
            yield return $"ip={Device(vlan)}:dhcp";
        }
    }

    // Names of interfaces are the system's to choose, but for one that is asked for by its address.
    private static string Named(MacAddress card) => $"ifname={Card}:{card}";

    private static string Device(ushort vlan) => string.Create(CultureInfo.InvariantCulture, $"{Card}.{vlan}");
}
