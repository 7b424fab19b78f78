using System.Net;
using Slipway.Dhcp.Leases;
using Slipway.Dhcp.Server;

namespace Slipway.Server.Tests.Dhcp;

/// <summary>Real clients, on a cable of their own.</summary>
public class DhcpClientsTests
{
    [Fact]
    public async Task Udhcpc_gets_what_an_ordinary_host_needs_and_no_boot_file()
    {
        await using var site = new DhcpSite();
        site.Start();
        var got = Udhcpc(site);
        Assert.Equal("10.91.0.100", got["ip"]);
        Assert.Equal("255.255.255.0", got["subnet"]);
        Assert.Equal("10.91.0.1", got["router"]);
        Assert.Equal("10.91.0.53", got["dns"]);
        Assert.Equal("boot.example", got["domain"]);
        Assert.False(got.ContainsKey("boot_file"));
        Assert.Equal([DhcpEventKind.Offered, DhcpEventKind.Acknowledged], site.Events.Select(e => e.Kind));
    }

    [Fact]
    public async Task Udhcpc_gives_its_address_back()
    {
        await using var site = new DhcpSite();
        site.Start();
        using var folder = new TemporaryFolder();
        using (var client = site.ClientSide.Start("udhcpc", "-i", DhcpSite.Link, "-f", "-R", "-s", LeaseScript(folder)))
        {
            client.WaitFor("obtained from");
            client.Signal("TERM");
            await site.WaitForAsync(DhcpEventKind.Released);
        }
        Assert.Equal(LeaseState.Released, Assert.Single(site.Store.Load()).State);
    }

    [Fact]
    public async Task Udhcpc_gets_its_answers_by_broadcast_where_it_asks_for_that()
    {
        await using var site = new DhcpSite();
        site.Start();
        Assert.Equal("10.91.0.100", Udhcpc(site, "-B")["ip"]);
    }

    [Fact]
    public async Task Udhcpc_that_says_PXEClient_and_its_architecture_gets_the_boot_file()
    {
        await using var site = new DhcpSite();
        site.Start();
        var got = Udhcpc(site, "-V", "PXEClient:Arch:00007:UNDI:003016", "-x", "0x5d:0007", "-O", "tftp", "-O", "bootfile");
        Assert.Equal("ipxe-x64.efi", got["boot_file"]);
        Assert.Equal("10.91.0.1", got["siaddr"]);
        Assert.Equal("10.91.0.1", got["tftp"]);
    }

    [Fact]
    public async Task Udhcpc_that_says_iPXE_gets_the_script_and_not_iPXE_again()
    {
        await using var site = new DhcpSite();
        site.Start();
        var got = Udhcpc(site, "-V", "PXEClient:Arch:00007:UNDI:003010", "-x", "0x5d:0007", "-x", "0x4d:69505845");
        Assert.Equal("https://10.91.0.1/boot/script", got["boot_file"]);
    }

    [Fact]
    public async Task Dhclient_takes_a_lease_and_keeps_it_through_a_restart_of_the_server()
    {
        await using var site = new DhcpSite();
        site.Start();
        using var folder = new TemporaryFolder();
        var first = Dhclient(site, folder);
        Assert.Contains("fixed-address 10.91.0.100;", first, StringComparison.Ordinal);
        await site.StopAsync();

        site.Start();
        var again = Dhclient(site, folder);
        Assert.Contains("fixed-address 10.91.0.100;", again, StringComparison.Ordinal);
        Assert.Equal(IPAddress.Parse("10.91.0.100"), Assert.Single(site.Store.Load()).Address);
        Assert.DoesNotContain(site.Events, e => e.Kind == DhcpEventKind.Refused);
    }

    private static Dictionary<string, string> Udhcpc(DhcpSite site, params string[] arguments)
    {
        using var folder = new TemporaryFolder();
        var result = site.ClientSide.Execute(["udhcpc", "-i", DhcpSite.Link, "-n", "-q", "-f", "-t", "5", "-T", "2", "-s", LeaseScript(folder), .. arguments]);
        Assert.True(result.ExitCode == 0, result.All + string.Join('\n', site.Events.Select(e => e.Text)));
        return result.Output.Split('\n').Select(l => l.Split('=', 2)).Where(p => p.Length == 2).GroupBy(p => p[0]).ToDictionary(g => g.Key, g => g.Last()[1]);
    }

    private static string LeaseScript(TemporaryFolder folder) =>
        folder.Script("lease", "[ \"$1\" = bound ] && env && ip addr replace $ip/24 dev $interface\nexit 0");

    private static string Dhclient(DhcpSite site, TemporaryFolder folder)
    {
        var script = folder.Script("dhclient-script", "exit 0");
        var leases = Path.Combine(folder.Path, "leases");
        using var client = site.ClientSide.Start("dhclient", "-4", "-1", "-v", "-d", "-lf", leases, "-cf", "/dev/null", "-sf", script, "--no-pid", DhcpSite.Link);
        client.WaitFor("bound to");
        return File.ReadAllText(leases);
    }
}
