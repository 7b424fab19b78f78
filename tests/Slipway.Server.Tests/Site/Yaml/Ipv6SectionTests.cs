using System.Net;
using Slipway.Dhcp.Networks;
using Slipway.Dhcp.Wire;
using Slipway.Server.Site;
using Slipway.Server.Site.Yaml;

namespace Slipway.Server.Tests.Site.Yaml;

public class Ipv6SectionTests
{
    private const string Whole = """
        networks:
          - name: boot
            interface: eth1
            address: 10.77.0.1/24
            lease-time: 30m
            domain: boot.example
            ipv6:
              address: fd00:77::1/64
              pool: fd00:77::1000-fd00:77::1fff
              dns: [fd00:77::53]
              reservations:
                - { address: "fd00:77::10", mac: "52:54:00:77:00:10" }
                - { address: "fd00:78::10", mac: "52:54:00:77:00:11" }
              relays:
                - { name: hall, subnet: "fd00:78::/64", pool: "fd00:78::1-fd00:78::ff" }
        machines: []
        """;

    [Fact]
    public void Everything_that_can_be_said_reaches_the_engine()
    {
        var networks = Ipv6Settings.NetworksOf(SiteFile.Parse(new StringReader(Whole), "lab.yaml"));

        Assert.Equal([("boot", "eth1"), ("hall", null)], networks.Select(n => (n.Name, n.Interface)));
        var boot = networks[0];
        Assert.Equal((IPNetwork.Parse("fd00:77::/64"), IPAddress.Parse("fd00:77::1")), (boot.Subnet, boot.ServerAddress));
        Assert.Equal((IPAddress.Parse("fd00:77::1000"), IPAddress.Parse("fd00:77::1fff")), boot.Pool);
        Assert.Equal((TimeSpan.FromMinutes(30), "boot.example"), (boot.LeaseTime, boot.DomainName));
        Assert.Equal([IPAddress.Parse("fd00:77::53")], boot.DnsServers);
        Assert.Equal(IPAddress.Parse("fd00:77::10"), Assert.Single(boot.Reservations).Value);
        Assert.Equal((HardwareAddress.Parse("52:54:00:77:00:11"), IPAddress.Parse("fd00:78::10")), (networks[1].Reservations.Single().Key, networks[1].Reservations.Single().Value));
        Assert.Equal(IPAddress.Parse("fd00:77::1"), networks[1].ServerAddress);
    }

    [Fact]
    public void Its_mode_is_the_networks_unless_it_has_its_own()
    {
        NetworkMode Mode(string address, string ipv6) => SiteFile.Parse(new StringReader(Whole
            .Replace("domain:", $"mode: {address}\n    domain:", StringComparison.Ordinal)
            .Replace("      dns:", $"{ipv6}\n      dns:", StringComparison.Ordinal)), "lab.yaml").Networks[0].Ipv6!.Mode;
        Assert.Equal(NetworkMode.Proxy, Mode("proxy", ""));
        Assert.Equal(NetworkMode.Authoritative, Mode("off", "      mode: authoritative"));
    }

    [Theory]
    [InlineData("fd00:77::1/64", "fd00:77::1", "address: 'fd00:77::1' is not an IPv6 address with its prefix length")]
    [InlineData("fd00:77::1/64", "fe80::1/64", "address: fe80::1 is link-local")]
    [InlineData("fd00:77::1/64", "10.77.0.2/24", "address: '10.77.0.2/24' is not an IPv6 address")]
    [InlineData("fd00:77::1000-", "fd00:99::1000-", "pool: 'fd00:99::1000-fd00:77::1fff' is not two addresses inside fd00:77::/64")]
    [InlineData("fd00:77::1000-", "fd00:77::2000-", "pool: 'fd00:77::2000-fd00:77::1fff' is not two addresses")]
    [InlineData("[fd00:77::53]", "[10.77.0.2]", "dns: '10.77.0.2' is not an IPv6 address")]
    [InlineData("\"fd00:78::10\"", "\"fd00:79::10\"", "address: fd00:79::10 is not inside fd00:77::/64 or fd00:78::/64")]
    [InlineData("52:54:00:77:00:11", "52:54:00:77:00:10", "is in two reservations")]
    [InlineData("fd00:78::/64", "fd00:78::1/64", "subnet: fd00:78::1 is an address inside fd00:78::/64")]
    [InlineData("pool: fd00", "range: fd00", "'range' is not a setting here")]
    public void Every_mistake_is_told_with_its_line(string right, string wrong, string message)
    {
        var e = Assert.Throws<SiteConfigurationException>(() => SiteFile.Parse(new StringReader(Whole.Replace(right, wrong, StringComparison.Ordinal)), "lab.yaml"));
        Assert.Matches(@"^lab\.yaml:\d+: ", e.Message);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Subnets_that_overlap_are_refused()
    {
        var site = SiteFile.Parse(new StringReader(Whole.Replace("fd00:78::/64", "fd00::/16", StringComparison.Ordinal)), "lab.yaml");
        Assert.Contains("overlap", Assert.Throws<SiteConfigurationException>(() => Ipv6Settings.NetworksOf(site)).Message, StringComparison.Ordinal);
    }
}
