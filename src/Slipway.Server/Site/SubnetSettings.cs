using System.Net;
using Slipway.Dhcp.Networks;

namespace Slipway.Server.Site;

/// <summary>What DHCP gives on one subnet, be it on the server's own link or behind a relay.</summary>
public abstract record SubnetSettings
{
    public required string Name { get; init; }

    public NetworkMode Mode { get; init; } = NetworkMode.Authoritative;

    public IReadOnlyList<AddressRange> Pool { get; init; } = [];

    /// <summary>Addresses inside the pool that are not given out.</summary>
    public IReadOnlyList<AddressRange> Exclusions { get; init; } = [];

    public IPAddress? Router { get; init; }

    public IReadOnlyList<IPAddress> Dns { get; init; } = [];

    public IReadOnlyList<IPAddress> Ntp { get; init; } = [];

    public string? Domain { get; init; }

    public ushort? Mtu { get; init; }

    /// <summary>Option 121 (RFC 3442).</summary>
    public IReadOnlyList<StaticRoute> Routes { get; init; } = [];

    public TimeSpan LeaseTime { get; init; } = TimeSpan.FromHours(12);

    public ClientIdentity Identity { get; init; } = ClientIdentity.HardwareAddress;

    /// <summary>Whether an address is probed by ICMP before it is given out for the first time. The server's own link only.</summary>
    public bool Probe { get; init; } = true;

    /// <summary>Besides those of machines that have an address.</summary>
    public IReadOnlyList<Reservation> Reservations { get; init; } = [];
}

/// <summary>A network that the server is on. Its <see cref="Address"/> is where machines reach what it has on it.</summary>
public sealed record NetworkSettings : SubnetSettings
{
    public required string Interface { get; init; }

    public NetworkRole Role { get; init; }

    /// <summary>
    /// The VLAN that a machine's firmware has to tag for, on the card that it booted from, to be on this storage network;
    /// null where the switch's port does.
    /// </summary>
    public ushort? Vlan { get; init; }

    /// <summary>The server's own address.</summary>
    public required IPAddress Address { get; init; }

    /// <summary>How firmware that boots by HTTP is told to fetch its program.</summary>
    public HttpBootScheme HttpBoot { get; init; }

    /// <summary>Null: no IPv6 here.</summary>
    public Ipv6Settings? Ipv6 { get; init; }

    /// <summary>The server's addresses on it: by IPv4, and by IPv6 where it is served.</summary>
    public IReadOnlyList<IPAddress> Addresses => Ipv6 is null ? [Address] : [Address, Ipv6.Address];

    /// <summary>Those of them with HTTPS, for scripts and for machines that are up.</summary>
    public IReadOnlyList<IPAddress> HttpsAddresses => Role == NetworkRole.Boot ? Addresses : [];

    /// <summary>Those of them on which machines boot: where DHCP is not off.</summary>
    public IEnumerable<IPAddress> BootAddresses
    {
        get
        {
            if (Role != NetworkRole.Boot)
                yield break;
            if (Mode != NetworkMode.Off)
                yield return Address;
            if (Ipv6 is { Mode: not NetworkMode.Off } ipv6)
                yield return ipv6.Address;
        }
    }

    /// <summary>UDP, on every address; 0: no syslog here.</summary>
    public int SyslogPort { get; init; } = SlipwayServer.SyslogPort;

    /// <summary>Where the machines' syslog is taken.</summary>
    public IEnumerable<IPEndPoint> SyslogEndpoints => SyslogPort == 0 ? [] : Addresses.Select(a => new IPEndPoint(a, SyslogPort));

    public required int PrefixLength { get; init; }

    public IPNetwork Subnet => Containing(Address, PrefixLength);

    /// <summary>Subnets whose relays send to <see cref="Address"/>.</summary>
    public IReadOnlyList<RelayedSettings> Relays { get; init; } = [];

    /// <summary>The IPv4 subnet of this size that an address is in.</summary>
    internal static IPNetwork Containing(IPAddress address, int prefixLength)
    {
        var bytes = address.GetAddressBytes();
        for (var bit = prefixLength; bit < 32; bit++)
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        return new IPNetwork(new IPAddress(bytes), prefixLength);
    }
}

/// <summary>For UEFI HTTP Boot, which is to a server what TFTP is to PXE.</summary>
public enum HttpBootScheme
{
    /// <summary>Firmware as it is delivered trusts no authority of a site's own.</summary>
    Http,

    /// <summary>For machines whose firmware was given the site's authority (UEFI's variable TlsCaCertificate). Port 80 is not opened.</summary>
    Https,
}

/// <summary>A subnet that only a relay reaches (RFC 1542). Its machines come to the network's address all the same.</summary>
public sealed record RelayedSettings : SubnetSettings
{
    public required IPNetwork Subnet { get; init; }
}
