using System.Net;
using Slipway.Dhcp.Networks;
using Slipway.Fleet.Machines;
using Slipway.Server.Site;
using Slipway.Server.Site.Yaml;

namespace Slipway.Server.Tests.Site.Yaml;

public class SiteFileTests
{
    private const string Whole = """
        name: lab
        state: state
        networks:
          - name: boot
            interface: eth1
            address: 10.77.0.1/24
            pool: 10.77.0.100-10.77.0.200
            router: 10.77.0.254
            dns: [10.77.0.53, 10.77.0.54]
        machines:
          - name: node-1
            mac: 52-54-00-77-00-01
            volume: volumes/node-1.raw
            firmware: uboot
            address: 10.77.0.11
          - name: node-2
            mac: "525400770002"
            volume: /srv/node-2.qcow2
        """;

    [Fact]
    public void A_whole_site_is_read()
    {
        var site = SiteFile.Parse(new StringReader(Whole), "/etc/slipway/slipway.yaml");

        Assert.Equal(("lab", "/etc/slipway/state"), (site.Name, site.State));
        var network = Assert.Single(site.Networks);
        Assert.Equal(("boot", "eth1", 24, NetworkMode.Authoritative), (network.Name, network.Interface, network.PrefixLength, network.Mode));
        Assert.Equal(IPAddress.Parse("10.77.0.1"), network.Address);
        Assert.Equal("10.77.0.100-10.77.0.200", Assert.Single(network.Pool).ToString());
        Assert.Equal(2, network.Dns.Count);
        Assert.Equal(["node-1", "node-2"], site.Machines.Select(m => m.Name));
        Assert.Equal("52:54:00:77:00:01", site.Machines[0].Mac.ToString());
        Assert.Equal("/etc/slipway/volumes/node-1.raw", site.Machines[0].Volume);
        Assert.Equal((MachineFirmware.UBoot, MachineFirmware.Detect), (site.Machines[0].Firmware, site.Machines[1].Firmware));
        Assert.Equal(IPAddress.Parse("10.77.0.11"), site.Machines[0].Address);
    }

    [Theory]
    [InlineData("eth1", "[eth1]", "lab.yaml:5: networks[0].interface: must be one value")]
    [InlineData("10.77.0.1/24", "10.77.0.1", "lab.yaml:6: networks[0].address: '10.77.0.1' is not an address with its prefix length, like 10.77.0.1/24")]
    [InlineData("10.77.0.1/24", "10.1/24", "lab.yaml:6: networks[0].address: '10.1/24' is not an address with its prefix length, like 10.77.0.1/24")]
    [InlineData("10.77.0.100-10.77.0.200", "10.78.0.100-10.78.0.200", "lab.yaml:7: networks[0].pool: 10.78.0.100-10.78.0.200 is not inside 10.77.0.0/24")]
    [InlineData("10.77.0.100-10.77.0.200", "10.77.0.200-10.77.0.100", "lab.yaml:7: networks[0].pool: '10.77.0.200-10.77.0.100' is not two addresses with a hyphen between, like 10.77.0.100-10.77.0.200")]
    [InlineData("10.77.0.53", "localhost", "lab.yaml:9: networks[0].dns: 'localhost' is not an IPv4 address")]
    [InlineData("router", "ruter", "lab.yaml:8: 'ruter' is not a setting here; there are name, interface, address, role, vlan, relays, http-boot, syslog, ipv6, mode, pool, exclude, router, dns, ntp, domain, mtu, routes, lease-time, clients-by, probe, reservations; did you mean router? (slipway explain SLP3001)")]
    [InlineData("52-54-00-77-00-01", "52-54-00-77-00", "lab.yaml:12: machines[0].mac: '52-54-00-77-00' is not an Ethernet address, like 52:54:00:12:34:56")]
    [InlineData("\"525400770002\"", "52:54:00:77:00:01", "lab.yaml:17: machines[1].mac: '52:54:00:77:00:01' is there twice")]
    [InlineData("name: node-2", "name: Node 2", "lab.yaml:16: machines[1].name: 'Node 2' must be up to 60 lower-case letters, digits, '-' and '.'")]
    [InlineData("firmware: uboot", "firmware: coreboot", "lab.yaml:14: machines[0].firmware: 'coreboot' is not uboot, ibft or detect")]
    [InlineData("    volume: volumes/node-1.raw\n", "", "lab.yaml:11: machines[0].volume is missing")]
    [InlineData("machines:", "machines: none\nmore:", "lab.yaml:11: 'more' is not a setting here; there are name, state, ipxe, tftp, networks, machines, profiles, approve, iscsi, https (slipway explain SLP3001)")]
    [InlineData("firmware: uboot", "client-certificate: no", "lab.yaml:14: machines[0].client-certificate: 'no' is not required or optional")]
    [InlineData("firmware: uboot", "client-certificate: required", "lab.yaml:14: machines[0].client-certificate: needs https.client-certificates: optional (or required): nobody is asked for one otherwise")]
    [InlineData("machines:", "https: { client-certificates: sometimes }\nmachines:", "lab.yaml:10: https.client-certificates: 'sometimes' is not required, optional or off")]
    [InlineData("machines:", "https: { certificate: ca.pem }\nmachines:", "lab.yaml:10: https.key is missing")]
    public void A_mistake_is_told_with_its_line(string right, string wrong, string message)
    {
        Assert.Contains(right, Whole, StringComparison.Ordinal);
        var text = Whole.Replace(right, wrong, StringComparison.Ordinal);
        var e = Assert.Throws<SiteConfigurationException>(() => SiteFile.Parse(new StringReader(text), "lab.yaml"));
        Assert.Contains(message, e.Message.Split('\n'));
    }

    [Fact]
    public void All_mistakes_are_told_in_the_order_of_their_lines_and_none_that_comes_of_another()
    {
        const string Text = """
            naem: lab
            networks:
              - { name: boot, interface: eth1, address: 10.77.0.300/24, pool: [10.77.0.1-x], mtu: 3, lease-time: 5 }
              - { name: far, interface: eth2, address: 10.78.0.1/24, pool: [10.79.0.1-10.79.0.2], mtu: 3, lease-time: 5, relays: [{ name: a, subnet: 1 }, 7] }
            machines:
              - { name: Node, mac: 1, volume: a, profile: nothing, firmware: x }
              - { name: n2, mac: "52:54:00:77:00:02", colour: red }
              - just text
            profiles:
              - name: own
                kind: script
                script: |
                  #!ipxe
                  chian x
              - { name: menu, kind: menu, entries: [own, gone], default: other }
              - { name: kernel, kind: direct, entries: [own] }
            approve:
              - { network: 7, name: x, image: i, policy: maybe }
            """;
        var lines = Assert.Throws<SiteConfigurationException>(() => SiteFile.Parse(new StringReader(Text), "lab.yaml")).Message.Split('\n');
        Assert.Equal(
        [
"lab.yaml:1: 'naem' is not a setting here; there are name, state, ipxe, tftp, networks, machines, profiles, approve, iscsi, https; did you mean name? (slipway explain SLP3001)",
            "lab.yaml:3: networks[0].address: '10.77.0.300/24' is not an address with its prefix length, like 10.77.0.1/24",
            "lab.yaml:3: networks[0].lease-time: '5' is not a time of 10 seconds or more, like 90s, 30m, 12h or 7d",
            "lab.yaml:3: networks[0].mtu: '3' is not a number of bytes from 68 to 65535",
            "lab.yaml:4: networks[1].lease-time: '5' is not a time of 10 seconds or more, like 90s, 30m, 12h or 7d",
            "lab.yaml:4: networks[1].mtu: '3' is not a number of bytes from 68 to 65535",
            "lab.yaml:4: networks[1].pool: 10.79.0.1-10.79.0.2 is not inside 10.78.0.0/24",
            "lab.yaml:4: networks[1].relays[0].subnet: '1' is not a subnet, like 10.78.0.0/24",
            "lab.yaml:4: networks[1].relays[1] must be a mapping of keys to values",
            "lab.yaml:6: machines[0].firmware: 'x' is not uboot, ibft or detect",
            "lab.yaml:6: machines[0].mac: '1' is not an Ethernet address, like 52:54:00:12:34:56",
            "lab.yaml:6: machines[0].name: 'Node' must be up to 60 lower-case letters, digits, '-' and '.'",
            "lab.yaml:7: 'colour' is not a setting here; there are name, mac, volume, profile, firmware, address, faults, trace, allow-initiators, allow-networks, redirect, client-certificate (slipway explain SLP3001)",
            "lab.yaml:7: machines[1].volume is missing",
            "lab.yaml:8: machines[2] must be a mapping of keys to values",
            "lab.yaml:14: profiles[0].script: 'chian' is no command of iPXE; did you mean chain?",
            "lab.yaml:15: profiles[1].default: 'other' is not one of own, gone",
            "lab.yaml:16: profiles[2].entries: is not for a profile of the kind direct",
            "lab.yaml:18: approve[0].policy: 'maybe' is not keep or reset",
        ], lines.Order(StringComparer.Ordinal).OrderBy(l => int.Parse(l.Split(':')[1], null)));
        Assert.Equal(lines, lines.OrderBy(l => int.Parse(l.Split(':')[1], null)));
    }

    [Fact]
    public void Portals_and_who_may_come_to_them()
    {
        const string Text = Whole + "\n    allow-networks: [10.77.0.0/24, 10.78.0.5]\n    allow-initiators: iqn.2026-11.test:rescue\n    redirect: 10.88.0.1:3261\niscsi:\n  advertise: [203.0.113.5, \"[fd00::5]:3261\"]\n  redirect: 10.88.0.2\n";
        var site = SiteFile.Parse(new StringReader(Text), "lab.yaml");
        Assert.Equal(["203.0.113.5:0", "[fd00::5]:3261"], site.Advertise.Select(p => p.ToString()));
        Assert.Equal(["10.77.0.0/24", "10.78.0.5/32"], site.Machines[1].AllowNetworks.Select(n => n.ToString()));
        Assert.Equal(["iqn.2026-11.test:rescue"], site.Machines[1].AllowInitiators);
        Assert.Empty(site.Machines[0].AllowNetworks);
        Assert.Equal(("10.88.0.2:0", "10.88.0.1:3261", null), (site.Redirect?.ToString(), site.Machines[1].Redirect?.ToString(), site.Machines[0].Redirect?.ToString()));
        Assert.Contains("lab.yaml:23: iscsi.advertise: '0.0.0.0' is not an address that initiators can connect to", Wrong("203.0.113.5", "0.0.0.0"), StringComparison.Ordinal);
        Assert.Contains("lab.yaml:19: machines[1].allow-networks: '10.78.0' is not a network", Wrong("10.78.0.5", "10.78.0"), StringComparison.Ordinal);

        Assert.Contains("lab.yaml:24: iscsi.redirect: 'fd00::/64' is not an address that initiators can connect to", Wrong("10.88.0.2", "fd00::/64"), StringComparison.Ordinal);

        static string Wrong(string right, string wrong) => Assert.Throws<SiteConfigurationException>(
            () => SiteFile.Parse(new StringReader(Text.Replace(right, wrong, StringComparison.Ordinal)), "lab.yaml")).Message;
    }

    [Theory]
    [InlineData("", "one YAML document")]
    [InlineData("- 1\n", "must be a mapping")]
    [InlineData("name: [\n", "lab.yaml:")]
    public void What_is_no_site_is_refused(string text, string message)
    {
        var e = Assert.Throws<SiteConfigurationException>(() => SiteFile.Parse(new StringReader(text), "lab.yaml"));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_not_there_is_named()
    {
        var e = Assert.Throws<SiteConfigurationException>(() => SiteFile.Load("/nonexistent/slipway.yaml"));
        Assert.Contains("/nonexistent/slipway.yaml", e.Message, StringComparison.Ordinal);
    }
}
