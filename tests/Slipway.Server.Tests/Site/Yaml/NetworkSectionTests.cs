using System.Net;
using System.Text;
using Slipway.Dhcp.Networks;
using Slipway.Dhcp.Wire;
using Slipway.Server.Site;
using Slipway.Server.Site.Yaml;

namespace Slipway.Server.Tests.Site.Yaml;

public class NetworkSectionTests
{
    private const string Whole = """
        networks:
          - name: boot
            interface: eth1
            address: 10.77.0.1/24
            pool:
              - 10.77.0.100-10.77.0.200
              - 10.77.0.220-10.77.0.250
            exclude: [10.77.0.150, 10.77.0.160-10.77.0.170]
            ntp: 10.77.0.3
            domain: boot.example
            mtu: 9000
            lease-time: 30m
            clients-by: client-id
            probe: false
            routes:
              - 10.17.0.0/16 via 10.77.0.2
            reservations:
              - address: 10.77.0.20
                uuid: 0f0e0d0c-0b0a-0908-0706-050403020100
                host-name: twenty
              - address: 10.77.0.21
                client-id: 0x01525400770001
              - address: 10.77.0.22
                circuit-id: ge-0/0/7
                remote-id: switch-3
              - address: 10.77.0.23
                mac: 52:54:00:77:00:23
            relays:
              - name: floor-2
                subnet: 10.78.0.0/24
                pool: 10.78.0.100-10.78.0.200
                router: 10.78.0.254
              - name: floor-3
                subnet: 10.79.0.0/24
                mode: off
        machines:
          - name: far
            mac: 52:54:00:78:00:01
            volume: far
            address: 10.78.0.11
        """;

    [Fact]
    public void Everything_that_can_be_said_of_a_network_reaches_the_engine()
    {
        var networks = SiteNetworks.Of(SiteFile.Parse(new StringReader(Whole), "lab.yaml"));

        Assert.Equal(["boot", "floor-2", "floor-3"], networks.Select(n => n.Name));
        var boot = networks[0];
        Assert.Equal(("eth1", "10.77.0.0/24", false), (boot.Interface, boot.Subnet.ToString(), boot.DetectConflicts));
        Assert.Equal(["10.77.0.100-10.77.0.200", "10.77.0.220-10.77.0.250"], boot.Pool.Select(r => r.ToString()));
        Assert.Equal(["10.77.0.150-10.77.0.150", "10.77.0.160-10.77.0.170"], boot.Exclusions.Select(r => r.ToString()));
        Assert.Equal((TimeSpan.FromMinutes(30), ClientIdentity.ClientIdentifier, (ushort?)9000, "boot.example"), (boot.LeaseTime, boot.Identity, boot.Mtu, boot.DomainName));
        Assert.Equal([new StaticRoute(IPNetwork.Parse("10.17.0.0/16"), IPAddress.Parse("10.77.0.2"))], boot.StaticRoutes);
        Assert.Equal([IPAddress.Parse("10.77.0.3")], boot.NtpServers);
        Assert.Equal((Guid.Parse("0f0e0d0c-0b0a-0908-0706-050403020100"), "twenty"), (boot.Reservations[0].Uuid!.Value, boot.Reservations[0].HostName));
        Assert.Equal([1, 0x52, 0x54, 0, 0x77, 0, 1], boot.Reservations[1].ClientId.ToArray());
        Assert.Equal(("ge-0/0/7", "switch-3"), (Encoding.ASCII.GetString(boot.Reservations[2].CircuitId.Span), Encoding.ASCII.GetString(boot.Reservations[2].RemoteId.Span)));
        Assert.Equal(HardwareAddress.Parse("52:54:00:77:00:23"), boot.Reservations[3].Hardware);

        Assert.Equal([IPAddress.Parse("10.77.0.1")], boot.LogServers);

        var far = networks[1];
        Assert.Equal((null, IPAddress.Parse("10.77.0.1"), NetworkMode.Authoritative), (far.Interface, far.ServerAddress, far.Mode));
        Assert.Equal(("10.78.0.11", "far"), (far.Reservations[0].Address.ToString(), far.Reservations[0].HostName));
        Assert.Equal(NetworkMode.Off, networks[2].Mode);
    }

    [Theory]
    [InlineData("10.77.0.150,", "10.70.0.150,", "lab.yaml:8: networks[0].exclude: 10.70.0.150-10.70.0.150 is not inside 10.77.0.0/24")]
    [InlineData("lease-time: 30m", "lease-time: 30", "lab.yaml:12: networks[0].lease-time: '30' is not a time of 10 seconds or more, like 90s, 30m, 12h or 7d")]
    [InlineData("lease-time: 30m", "lease-time: 9s", "lab.yaml:12: networks[0].lease-time: '9s' is not a time of 10 seconds or more, like 90s, 30m, 12h or 7d")]
    [InlineData("mtu: 9000", "mtu: 67", "lab.yaml:11: networks[0].mtu: '67' is not a number of bytes from 68 to 65535")]
    [InlineData("10.17.0.0/16 via", "10.17.0.0 via", "lab.yaml:16: networks[0].routes: '10.17.0.0 via 10.77.0.2' is not a route, like 10.17.0.0/16 via 10.77.0.2")]
    [InlineData("via 10.77.0.2", "via 10.99.0.2", "lab.yaml:16: networks[0].routes: 10.99.0.2 is not inside 10.77.0.0/24")]
    [InlineData("address: 10.77.0.21", "address: 10.77.0.20", "lab.yaml:21: networks[0].reservations[1].address: 10.77.0.20 is reserved twice")]
    [InlineData("0x01525400770001", "0x015", "lab.yaml:22: networks[0].reservations[1].client-id: '0x015' is not an even number of hexadecimal digits after 0x")]
    [InlineData("        remote-id: switch-3", "        mac: 52:54:00:77:00:22", "lab.yaml:23: networks[0].reservations[2].address: 10.77.0.22 must be reserved by exactly one of mac, uuid, client-id and circuit-id (with remote-id)")]
    [InlineData("subnet: 10.78.0.0/24", "subnet: 10.78.0.1/24", "lab.yaml:30: networks[0].relays[0].subnet: 10.78.0.1 is an address inside 10.78.0.0/24, which is to be written 10.78.0.0/24")]
    [InlineData("subnet: 10.79.0.0/24", "subnet: 10.77.0.0/16", "lab.yaml:34: networks[0].relays[1].subnet: 10.77.0.0/16 has the server's own address 10.77.0.1 in it: machines there need no relay")]
    [InlineData("router: 10.78.0.254", "router: 10.77.0.254", "lab.yaml:32: networks[0].relays[0].router: 10.77.0.254 is not inside 10.78.0.0/24")]
    [InlineData("name: floor-3", "name: floor-2", "lab.yaml:33: networks[0].relays[1].name: 'floor-2' is there twice")]
    public void A_mistake_is_told_with_its_line(string right, string wrong, string message)
    {
        Assert.Contains(right, Whole, StringComparison.Ordinal);
        var text = Whole.Replace(right, wrong, StringComparison.Ordinal);
        Assert.Equal(message, Assert.Throws<SiteConfigurationException>(() => SiteFile.Parse(new StringReader(text), "lab.yaml")).Message);
    }

    [Theory]
    [InlineData("", "10.77.0.1:514", true)]
    [InlineData("syslog: 514", "10.77.0.1:514", true)]
    [InlineData("syslog: 5514", "10.77.0.1:5514", false)]
    [InlineData("syslog: off", "", false)]
    [InlineData("mode: off", "", false)]
    [InlineData("mode: off\n    syslog: 514", "10.77.0.1:514", true)]
    [InlineData("ipv6: { address: fd00:77::1/64 }", "10.77.0.1:514 [fd00:77::1]:514", true)]
    public void Syslog_is_taken_where_machines_boot_and_told_of_on_its_own_port(string said, string endpoints, bool told)
    {
        var site = SiteFile.Parse(new StringReader($"networks:\n  - name: boot\n    interface: eth1\n    address: 10.77.0.1/24\n    {said}"), "lab.yaml");
        Assert.Equal(endpoints, string.Join(' ', site.Networks[0].SyslogEndpoints));
        Assert.Equal(told, SiteNetworks.Of(site)[0].LogServers.Count > 0);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("65536")]
    [InlineData("on")]
    public void No_syslog_port_is_a_mistake(string port)
    {
        var text = $"networks:\n  - name: boot\n    interface: eth1\n    address: 10.77.0.1/24\n    syslog: {port}";
        Assert.Equal($"lab.yaml:5: networks[0].syslog: '{port}' is not off or a port, like 514", Assert.Throws<SiteConfigurationException>(() => SiteFile.Parse(new StringReader(text), "lab.yaml")).Message);
    }

    [Fact]
    public void Subnets_that_overlap_are_refused()
    {
        var site = SiteFile.Parse(new StringReader(Whole.Replace("subnet: 10.79.0.0/24", "subnet: 10.78.0.0/16", StringComparison.Ordinal)), "lab.yaml");
        var e = Assert.Throws<SiteConfigurationException>(() => SiteNetworks.Of(site));
        Assert.Equal("networks floor-2 (10.78.0.0/24) and floor-3 (10.78.0.0/16) overlap: an address must belong to one", e.Message);
    }
}
