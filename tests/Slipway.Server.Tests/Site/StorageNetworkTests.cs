using System.Net;
using Slipway.Fleet.Credentials;
using Slipway.Fleet.Machines;
using Slipway.Fleet.Profiles;
using Slipway.Server.Boot;
using Slipway.Server.Boot.Scripts;
using Slipway.Server.Site;
using Slipway.Server.Site.Yaml;

namespace Slipway.Server.Tests.Site;

public class StorageNetworkTests
{
    private const string Whole = """
        networks:
          - { name: boot, interface: eth1, address: 10.77.0.1/24 }
          - { name: left, interface: eth2, address: 10.88.0.1/24, role: storage, vlan: 88 }
          - { name: right, interface: eth3, address: 10.89.0.1/24, role: storage, vlan: 89 }
        machines: [{ name: node-1, mac: "52:54:00:77:00:01", volume: x.raw }]
        """;

    [Fact]
    public void Disks_are_on_storage_networks_only_and_all_else_on_the_others()
    {
        var site = Parse(Whole);
        Assert.Equal(["10.88.0.1", "10.89.0.1"], site.TargetAddresses.Select(a => a.ToString()));
        Assert.Equal(["10.77.0.1"], site.Networks.SelectMany(n => n.HttpsAddresses).Select(a => a.ToString()));
        Assert.Equal(["10.77.0.1"], site.Networks.SelectMany(n => n.BootAddresses).Select(a => a.ToString()));
        Assert.Equal(["10.77.0.1"], Parse(Whole.Split('\n')[0] + "\n" + Whole.Split('\n')[1]).TargetAddresses.Select(a => a.ToString()));
    }

    [Theory]
    [InlineData("vlan: 88", "vlan: 4095", "s:3: networks[1].vlan: '4095' is not a number from 1 to 4094")]
    [InlineData("vlan: 89", "vlan: 88", "s:4: networks[2].vlan: '88' is there twice")]
    [InlineData("10.77.0.1/24 }", "10.77.0.1/24, vlan: 7 }", "s:2: networks[0].vlan: is for a network with role: storage; a machine has to be on a boot network before anything can tell it a tag")]
    [InlineData("10.77.0.1/24 }", "10.77.0.1/24, role: storage }", "s:2: networks[0].role: a site needs a network with role: boot, too: there machines get their addresses and scripts")]
    [InlineData("vlan: 88", "mode: proxy", "s:3: networks[1].mode: nobody boots on a storage network: authoritative, or off where another DHCP server gives the addresses")]
    [InlineData("vlan: 88", "http-boot: https", "s:3: networks[1].http-boot: nobody boots on a storage network")]
    [InlineData("vlan: 88", "ipv6: { address: fd00::1/64 }", "s:3: networks[1].ipv6: a storage network has IPv4 only, as the iBFT that iPXE writes has")]
    [InlineData("vlan: 88", "relays: [{ name: far, subnet: 10.90.0.0/24, mode: proxy }]", "s:3: networks[1].relays[0].mode: nobody boots on a storage network: authoritative, or off where another DHCP server gives the addresses")]
    public void A_contradiction_is_told_with_its_line(string right, string wrong, string message)
    {
        Assert.Contains(right, Whole, StringComparison.Ordinal);
        Assert.Equal(message, Assert.Throws<SiteConfigurationException>(() => Parse(Whole.Replace(right, wrong, StringComparison.Ordinal))).Message);
    }

    [Fact]
    public void The_script_tags_for_each_VLAN_and_boots_by_both_portals()
    {
        var facts = Facts(Parse(Whole), MachineFirmware.Ibft);
        var script = ProfileScript.SanBoot(facts).ToString();
        var target = facts.Names.Target;
        Assert.Contains("""
            isset ${slipway-card} && goto slipway-card ||
            set slipway-card ${netX/ifname}
            :slipway-card
            clear slipway-lost
            vcreate --tag 88 ${slipway-card} ||
            set ${slipway-card}-88/mtu 1496
            clear slipway-lost-88
            dhcp ${slipway-card}-88 || goto slipway-lost-88
            goto slipway-vlan-88
            :slipway-lost-88
            echo Slipway: no address on the storage network left, VLAN 88. Does the switch's port carry it tagged?
            set slipway-lost:int32 1
            set slipway-lost-88:int32 1
            :slipway-vlan-88
            vcreate --tag 89 ${slipway-card} ||

            """.ReplaceLineEndings("\n").TrimEnd('\n'), script, StringComparison.Ordinal);
        var (left, right) = ($"iscsi:10.88.0.1::3260:0:{target}", $"iscsi:10.89.0.1::3260:0:{target}");
        Assert.Contains($"""
            isset $[slipway-lost] && goto slipway-fewer ||
            sanboot {left} {right} || goto failed
            goto slipway-attached
            :slipway-fewer
            isset $[slipway-lost-88] && goto slipway-lost-88-10-88-0-1 ||
            sanboot {left} || goto failed
            goto slipway-attached
            :slipway-lost-88-10-88-0-1
            isset $[slipway-lost-89] && goto slipway-lost-89-10-89-0-1 ||
            sanboot {right} || goto failed
            goto slipway-attached
            :slipway-lost-89-10-89-0-1
            goto failed
            :slipway-attached

            """.ReplaceLineEndings("\n").Replace("$[", "${", StringComparison.Ordinal).Replace(']', '}'), script, StringComparison.Ordinal);
        Assert.Equal("slipway_up=https://10.77.0.1/boot/up", facts.KernelArguments);
        var own = ProfileScript.Custom(facts, new ScriptProfile { Name = "own", Script = "#!ipxe\nshell" }).ToString();
        Assert.Contains($"\nset slipway-disk {left}\n:slipway-lost-88-10-88-0-1\nisset ${{slipway-lost-89}} && goto slipway-lost-89-10-89-0-1 ||\nset slipway-disk-2 {right}\n", own, StringComparison.Ordinal);
    }

    [Fact]
    public void A_port_that_tags_needs_no_VLAN_device_and_a_routed_network_nothing()
    {
        var script = ProfileScript.SanBoot(Facts(Parse(Whole.Replace(", vlan: 88", "", StringComparison.Ordinal)), MachineFirmware.Ibft)).ToString();
        Assert.Contains("""
            set slipway-other:int32 0
            :slipway-cards
            iseq net${slipway-other} ${slipway-card} && goto slipway-next-card ||
            isset ${net${slipway-other}/mac} || goto slipway-no-more-cards
            dhcp net${slipway-other} || goto slipway-next-card
            :slipway-next-card
            inc slipway-other
            goto slipway-cards
            :slipway-no-more-cards

            """.ReplaceLineEndings("\n"), script, StringComparison.Ordinal);
        Assert.DoesNotContain("vcreate --tag 88", script, StringComparison.Ordinal);
        var routed = Whole.Replace("vlan: 88", "mode: off", StringComparison.Ordinal).Replace("vlan: 89", "mode: off", StringComparison.Ordinal);
        Assert.DoesNotContain("dhcp", ProfileScript.SanBoot(Facts(Parse(routed), MachineFirmware.Ibft)).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Where_there_is_no_iBFT_the_kernels_arguments_have_the_VLANs_and_the_portals()
    {
        var facts = Facts(Parse(Whole), MachineFirmware.UBoot);
        var (names, secrets) = (facts.Names, facts.Credentials);
        var login = $"netroot=iscsi:{secrets.User}:{secrets.Secret}:{secrets.ReverseUser}:{secrets.ReverseSecret}@";
        Assert.EndsWith(
            $" slipway_up=https://10.77.0.1/boot/up rd.iscsi.initiator={names.Initiator} {login}10.88.0.1::3260:0:{names.Target} {login}10.89.0.1::3260:0:{names.Target}"
            + " ifname=slipway:52:54:00:77:00:01 bootdev=slipway.88 vlan=slipway.88:slipway ip=slipway.88:dhcp vlan=slipway.89:slipway ip=slipway.89:dhcp",
            facts.KernelArguments, StringComparison.Ordinal);
        Assert.Contains(" ISCSI_TARGET_IP=10.88.0.1 ", facts.KernelArguments, StringComparison.Ordinal);
        Assert.Equal(1024, GrubEnvironment.Write(facts.KernelArguments).Length);
        // Longer names need a longer block than that of grub-editenv.
        Assert.Contains("has 1024: make it 2048 bytes long", Assert.Throws<ArgumentException>(() => GrubEnvironment.Write(new string('a', 1000))).Message, StringComparison.Ordinal);
        Assert.Equal(2048, GrubEnvironment.Write(new string('a', 1000), 2048).Length);
    }

    private static SiteConfiguration Parse(string text) => SiteFile.Parse(new StringReader(text), "s");

    private static ScriptFacts Facts(SiteConfiguration site, MachineFirmware firmware) => new(
        site.Machines[0], firmware, IscsiNames.Of(site.Name, "node-1"), BootCredentials.Create("node-1"), default,
        StoragePortal.Of(site, IPAddress.Parse("10.77.0.1"), 3260), new Uri("https://10.77.0.1/"));
}
