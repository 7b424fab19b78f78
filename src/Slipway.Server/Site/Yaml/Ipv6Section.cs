using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Slipway.Dhcp.Networks;
using Slipway.Dhcp.Wire;

namespace Slipway.Server.Site.Yaml;

/// <summary>Reads a network's <c>ipv6</c> in <c>slipway.yaml</c>. docs/dhcp.md describes it.</summary>
internal static class Ipv6Section
{
    /// <param name="mode">The network's, for where the section has none of its own.</param>
    public static Ipv6Settings Read(YamlSection section, NetworkMode mode)
    {
        section.Allow("address", "mode", "pool", "dns", "reservations", "relays");
        var (address, subnet) = section.Value("address", "an IPv6 address with its prefix length, like fd00:77::1/64", Prefixed);
        // Scripts and certificates hold it, and a link-local one means nothing without the name of an interface.
        if (address.IsIPv6LinkLocal || address.IsIPv6Multicast)
            throw section.Wrong("address", $"{address} is link-local or a group's: machines need one of a subnet, like fd00:77::1/64");
        var relays = section.List("relays").Select(Relayed).ToList();
        return new Ipv6Settings
        {
            Address = address,
            Subnet = subnet,
            Mode = NetworkSection.ModeOf(section, mode),
            Pool = Pool(section, subnet),
            Dns = [.. section.Texts("dns").Select(text => V6(text) ?? throw section.Wrong("dns", $"'{text}' is not an IPv6 address"))],
            Reservations = Reservations(section, [subnet, .. relays.Select(r => r.Subnet)]),
            Relays = relays,
        };
    }

    private static Ipv6Relayed Relayed(YamlSection section)
    {
        section.Allow("name", "subnet", "pool");
        var (address, subnet) = section.Value("subnet", "an IPv6 subnet, like fd00:78::/64", Prefixed);
        return address.Equals(subnet.BaseAddress)
            ? new(section.Name("name"), subnet, Pool(section, subnet))
            : throw section.Wrong("subnet", $"{address} is an address inside {subnet}, which is to be written {subnet}");
    }

    private static Dictionary<HardwareAddress, IPAddress> Reservations(YamlSection section, IReadOnlyList<IPNetwork> subnets)
    {
        var reservations = new Dictionary<HardwareAddress, IPAddress>();
        foreach (var entry in section.List("reservations"))
        {
            entry.Allow("address", "mac");
            var address = entry.Value<IPAddress>("address", "an IPv6 address, like fd00:77::20", V6);
            var mac = entry.Value<HardwareAddress>("mac", "an Ethernet address, like 52:54:00:12:34:56", text => HardwareAddress.TryParse(text, out var parsed) ? parsed : null);
            if (!subnets.Any(s => s.Contains(address)))
                throw entry.Wrong("address", $"{address} is not inside {string.Join(" or ", subnets)}");
            if (reservations.ContainsValue(address) || !reservations.TryAdd(mac, address))
                throw entry.Wrong("address", $"{address} or {mac} is in two reservations");
        }
        return reservations;
    }

    private static (IPAddress First, IPAddress Last)? Pool(YamlSection section, IPNetwork subnet)
    {
        if (section.Text("pool", "") is not { Length: > 0 } text)
            return null;
        return text.Split('-', StringSplitOptions.TrimEntries) is [var first, var last] && V6(first) is { } from && V6(last) is { } to
            && subnet.Contains(from) && subnet.Contains(to) && from.GetAddressBytes().AsSpan().SequenceCompareTo(to.GetAddressBytes()) <= 0
            ? (from, to)
            : throw section.Wrong("pool", $"'{text}' is not two addresses inside {subnet} with a hyphen between, like fd00:77::1000-fd00:77::1fff");
    }

    private static (IPAddress Address, IPNetwork Subnet)? Prefixed(string text)
    {
        if (text.Split('/') is not [var address, var length] || V6(address) is not { } parsed
            || !int.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out var bits) || bits is < 16 or > 126)
            return null;
        var bytes = parsed.GetAddressBytes();
        for (var bit = bits; bit < 128; bit++)
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        return (parsed, new IPNetwork(new IPAddress(bytes), bits));
    }

    private static IPAddress? V6(string text) =>
        !text.Contains('%', StringComparison.Ordinal) && IPAddress.TryParse(text, out var address) && address is { AddressFamily: AddressFamily.InterNetworkV6, IsIPv4MappedToIPv6: false }
            ? address
            : null;
}
