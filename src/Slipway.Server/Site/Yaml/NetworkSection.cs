using System.Globalization;
using System.Net;
using System.Text;
using Slipway.Dhcp.Networks;
using Slipway.Dhcp.Wire;

namespace Slipway.Server.Site.Yaml;

/// <summary>Reads the entries of <c>networks</c> in <c>slipway.yaml</c>. docs/dhcp.md describes them.</summary>
internal static class NetworkSection
{
    private static readonly string[] OfSubnets =
        ["mode", "pool", "exclude", "router", "dns", "ntp", "domain", "mtu", "routes", "lease-time", "clients-by", "probe", "reservations"];

    private const string NobodyBootsThere = "nobody boots on a storage network";
    private const string NoProxyThere = NobodyBootsThere + ": authoritative, or off where another DHCP server gives the addresses";

    public static NetworkSettings Network(YamlSection section)
    {
        section.Allow(["name", "interface", "address", "role", "vlan", "relays", "http-boot", "syslog", "ipv6", .. OfSubnets]);
        var (address, subnet) = section.Value("address", "an address with its prefix length, like 10.77.0.1/24", Prefixed);
        var (role, mode) = (RoleOf(section), ModeOf(section, NetworkMode.Authoritative));
        var network = new NetworkSettings
        {
            Name = section.Name("name"),
            Interface = section.Text("interface"),
            Address = address,
            PrefixLength = subnet.PrefixLength,
            Role = role,
            Vlan = section.Value<ushort>("vlan", "a number from 1 to 4094", VlanOf, 0) is var vlan and > 0 ? vlan : null,
            Mode = mode,
            Ipv6 = section.Section("ipv6") is { } ipv6 ? Ipv6Section.Read(ipv6, mode) : null,
            // Where no machine boots there is nobody to listen to.
            SyslogPort = section.Value("syslog", "off or a port, like 514", SyslogPortOf, mode == NetworkMode.Off || role == NetworkRole.Storage ? 0 : SlipwayServer.SyslogPort),
            HttpBoot = section.Value("http-boot", "http or https", HttpBootOf, HttpBootScheme.Http),
        };
        CheckRole(section, network);
        network = Fill(network, section, subnet);
        return network with { Relays = [.. section.List("relays").Select(s => Relayed(s, network))] };
    }

    private static void CheckRole(YamlSection section, NetworkSettings network)
    {
        if (network.Role == NetworkRole.Boot)
        {
            if (network.Vlan is not null)
                throw section.Wrong("vlan", "is for a network with role: storage; a machine has to be on a boot network before anything can tell it a tag");
            return;
        }
        if (network.Mode == NetworkMode.Proxy)
            throw section.Wrong("mode", NoProxyThere);
        if (section.Keys.FirstOrDefault(k => k is "http-boot" or "syslog" or "ipv6") is { } key)
            throw section.Wrong(key, key == "ipv6" ? "a storage network has IPv4 only, as the iBFT that iPXE writes has" : NobodyBootsThere);
    }

    private static RelayedSettings Relayed(YamlSection section, NetworkSettings network)
    {
        section.Allow(["name", "subnet", .. OfSubnets]);
        var (address, subnet) = section.Value("subnet", "a subnet, like 10.78.0.0/24", Prefixed);
        if (!address.Equals(subnet.BaseAddress))
            throw section.Wrong("subnet", $"{address} is an address inside {subnet}, which is to be written {subnet}");
        if (subnet.Contains(network.Address))
            throw section.Wrong("subnet", $"{subnet} has the server's own address {network.Address} in it: machines there need no relay");
        var relayed = new RelayedSettings
        {
            Name = section.Name("name"),
            Subnet = subnet,
            Mode = ModeOf(section, network.Mode),
        };
        if (network.Role == NetworkRole.Storage && relayed.Mode == NetworkMode.Proxy)
            throw section.Wrong("mode", NoProxyThere);
        return Fill(relayed, section, subnet);
    }

    private static T Fill<T>(T settings, YamlSection section, IPNetwork subnet)
        where T : SubnetSettings =>
        settings with
        {
            Pool = Ranges(section, "pool", subnet),
            Exclusions = Ranges(section, "exclude", subnet),
            Router = section.Value<IPAddress?>("router", "an IPv4 address", SiteFile.V4, null) is { } router ? Inside(section, "router", router, subnet) : null,
            Dns = Addresses(section, "dns"),
            Ntp = Addresses(section, "ntp"),
            Domain = section.Text("domain", "") is { Length: > 0 } domain ? domain : null,
            // RFC 2132 §5.1: 68 is the least.
            Mtu = section.Value<ushort>("mtu", "a number of bytes from 68 to 65535", MtuOf, 0) is var mtu and > 0 ? mtu : null,
            Routes = [.. section.Texts("routes").Select(text => Route(section, text, subnet))],
            LeaseTime = section.Value("lease-time", "a time of 10 seconds or more, like 90s, 30m, 12h or 7d", LeaseTime, TimeSpan.FromHours(12)),
            Identity = section.Value("clients-by", "mac or client-id", IdentityOf, ClientIdentity.HardwareAddress),
            Probe = section.Value("probe", "true or false", text => bool.TryParse(text, out var value) ? value : null, true),
            Reservations = Reservations(section, subnet),
        };

    private static List<Reservation> Reservations(YamlSection section, IPNetwork subnet)
    {
        var reservations = new List<Reservation>();
        foreach (var entry in section.List("reservations"))
        {
            var reservation = Reserve(entry, subnet);
            if (reservations.Exists(r => r.Address.Equals(reservation.Address)))
                throw entry.Wrong("address", $"{reservation.Address} is reserved twice");
            reservations.Add(reservation);
        }
        return reservations;
    }

    private static Reservation Reserve(YamlSection section, IPNetwork subnet)
    {
        section.Allow("address", "mac", "uuid", "client-id", "circuit-id", "remote-id", "host-name");
        var address = section.Value<IPAddress>("address", "an IPv4 address, like 10.77.0.20", SiteFile.V4);
        var mac = section.Value<HardwareAddress>("mac", "an Ethernet address, like 52:54:00:12:34:56", MacOf, default);
        var uuid = section.Value("uuid", "a UUID, like 0f0e0d0c-0b0a-0908-0706-050403020100", text => Guid.TryParse(text, out var value) ? value : null, Guid.Empty);
        var clientId = Bytes(section, "client-id");
        var (circuit, remote) = (Bytes(section, "circuit-id"), Bytes(section, "remote-id"));
        var hostName = section.Text("host-name", "");
        bool[] known = [mac != default, uuid != Guid.Empty, clientId.Length > 0, circuit.Length + remote.Length > 0];
        if (known.Count(k => k) != 1)
            throw section.Wrong("address", $"{address} must be reserved by exactly one of mac, uuid, client-id and circuit-id (with remote-id)");
        return new Reservation(Inside(section, "address", address, subnet))
        {
            Hardware = mac == default ? null : mac,
            Uuid = uuid == Guid.Empty ? null : uuid,
            ClientId = clientId,
            CircuitId = circuit,
            RemoteId = remote,
            HostName = hostName.Length > 0 ? hostName : null,
        };
    }

    private static List<AddressRange> Ranges(YamlSection section, string key, IPNetwork subnet)
    {
        var ranges = new List<AddressRange>();
        foreach (var text in section.Texts(key))
        {
            var range = Range(text, single: key == "exclude")
                ?? throw section.Wrong(key, $"'{text}' is not two addresses with a hyphen between, like 10.77.0.100-10.77.0.200");
            if (!subnet.Contains(range.First) || !subnet.Contains(range.Last))
                throw section.Wrong(key, $"{range} is not inside {subnet}");
            ranges.Add(range);
        }
        return ranges;
    }

    private static List<IPAddress> Addresses(YamlSection section, string key) =>
        [.. section.Texts(key).Select(text => SiteFile.V4(text) ?? throw section.Wrong(key, $"'{text}' is not an IPv4 address"))];

    private static StaticRoute Route(YamlSection section, string text, IPNetwork subnet) =>
        text.Split(" via ", StringSplitOptions.TrimEntries) is [var destination, var router]
            && IPNetwork.TryParse(destination, out var network) && SiteFile.V4(network.BaseAddress.ToString()) is not null && SiteFile.V4(router) is { } via
            ? new StaticRoute(network, Inside(section, "routes", via, subnet))
            : throw section.Wrong("routes", $"'{text}' is not a route, like 10.17.0.0/16 via 10.77.0.2");

    private static IPAddress Inside(YamlSection section, string key, IPAddress address, IPNetwork subnet) =>
        subnet.Contains(address) ? address : throw section.Wrong(key, $"{address} is not inside {subnet}");

    // What relays and clients send is bytes; text is the common case, and hexadecimal digits after 0x say anything.
    private static byte[] Bytes(YamlSection section, string key)
    {
        var text = section.Text(key, "");
        if (!text.StartsWith("0x", StringComparison.Ordinal))
            return Encoding.UTF8.GetBytes(text);
        try
        {
            return Convert.FromHexString(text.AsSpan(2));
        }
        catch (FormatException)
        {
            throw section.Wrong(key, $"'{text}' is not an even number of hexadecimal digits after 0x");
        }
    }

    internal static NetworkMode ModeOf(YamlSection section, NetworkMode byDefault) =>
        section.Value("mode", "authoritative, proxy or off", text => text switch
        {
            "authoritative" => NetworkMode.Authoritative,
            "proxy" => NetworkMode.Proxy,
            "off" => NetworkMode.Off,
            _ => (NetworkMode?)null,
        }, byDefault);

    private static NetworkRole RoleOf(YamlSection section) =>
        section.Value("role", "boot or storage", text => text switch
        {
            "boot" => NetworkRole.Boot,
            "storage" => NetworkRole.Storage,
            _ => (NetworkRole?)null,
        }, NetworkRole.Boot);

    // IEEE 802.1Q §9.6: 0 is a priority without a VLAN, 4095 is reserved.
    private static ushort? VlanOf(string text) =>
        ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var vlan) && vlan is >= 1 and <= 4094 ? vlan : null;

    private static (IPAddress Address, IPNetwork Subnet)? Prefixed(string text) =>
        text.Split('/') is [var address, var length] && SiteFile.V4(address) is { } parsed
            && int.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out var bits) && bits is >= 8 and <= 30
            ? (parsed, NetworkSettings.Containing(parsed, bits))
            : null;

    private static AddressRange? Range(string text, bool single) =>
        text.Split('-', StringSplitOptions.TrimEntries) switch
        {
            [var first, var last] when SiteFile.V4(first) is { } from && SiteFile.V4(last) is { } to
                && from.GetAddressBytes().AsSpan().SequenceCompareTo(to.GetAddressBytes()) <= 0 => new AddressRange(from, to),
            [var one] when single && SiteFile.V4(one) is { } address => new AddressRange(address, address),
            _ => null,
        };

    private static HardwareAddress? MacOf(string text) =>
        Fleet.Machines.MacAddress.TryParse(text, null, out var mac) ? HardwareAddress.Parse(mac.ToString()) : null;

    private static ClientIdentity? IdentityOf(string text) => text switch
    {
        "mac" => ClientIdentity.HardwareAddress,
        "client-id" => ClientIdentity.ClientIdentifier,
        _ => null,
    };

    private static HttpBootScheme? HttpBootOf(string text) => text switch
    {
        "http" => HttpBootScheme.Http,
        "https" => HttpBootScheme.Https,
        _ => null,
    };

    private static int? SyslogPortOf(string text) =>
        text == "off" ? 0 : ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0 ? port : null;

    private static ushort? MtuOf(string text) =>
        ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var mtu) && mtu >= 68 ? mtu : null;

    // RFC 2131 §3.3: 32 bits of seconds, of which all ones means for ever; the engine takes 31.
    private static TimeSpan? LeaseTime(string text) => SiteTime.Parse(text) is { TotalSeconds: >= 10 } time ? time : null;
}
