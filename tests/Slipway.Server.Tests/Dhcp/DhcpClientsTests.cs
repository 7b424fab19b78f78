using System.Net;
using Slipway.Dhcp.Leases;
using Slipway.Dhcp.Networks;
using Slipway.Dhcp.Server;
using Slipway.Server.Dhcp;
using Slipway.Server.Tests.Net;

namespace Slipway.Server.Tests.Dhcp;

/// <summary>Real clients, on a cable of their own.</summary>
public class DhcpClientsTests
{
    [Fact]
    public async Task Udhcpc_gets_what_an_ordinary_host_needs_and_no_boot_file()
    {
        await using var site = new DhcpSite();
        site.Start();
        var got = Udhcpc(site, "-O", "7");
        Assert.Equal("10.91.0.100", got["ip"]);
        Assert.Equal("255.255.255.0", got["subnet"]);
        Assert.Equal("10.91.0.1", got["router"]);
        Assert.Equal("10.91.0.53", got["dns"]);
        Assert.Equal("boot.example", got["domain"]);
        Assert.Equal("0a5b0001", got["opt7"]);
        Assert.False(got.ContainsKey("boot_file"));
        await site.WaitForAsync(DhcpEventKind.Acknowledged);
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
        using var folder = new TemporaryFolder();
        using var store = new SqliteLeaseStore(Path.Combine(folder.Path, "leases.db"));
        await using var site = new DhcpSite { Store = store };
        site.Start();
        var first = Dhclient(site, folder);
        Assert.Contains("fixed-address 10.91.0.100;", first, StringComparison.Ordinal);
        await site.StopAsync();

        site.Start();
        var again = Dhclient(site, folder);
        Assert.Contains("fixed-address 10.91.0.100;", again, StringComparison.Ordinal);
        Assert.Equal(IPAddress.Parse("10.91.0.100"), Assert.Single(site.Store.Load()).Address);
        Assert.DoesNotContain(site.Events, e => e.Kind == DhcpEventKind.Refused);
    }

    [Fact]
    public async Task Dhclient_joins_a_long_option_that_lies_in_three_fields()
    {
        using var folder = new TemporaryFolder();
        await using var site = new DhcpSite();
        // Eight bytes each, more than an option and more than the options field have room for (RFC 3396, option 52).
        site.Network = site.Network with { StaticRoutes = [.. Enumerable.Range(1, 45).Select(i => new StaticRoute(IPNetwork.Parse($"10.17.{i}.0/24"), IPAddress.Parse("10.91.0.2")))] };
        site.Start();
        var configuration = Path.Combine(folder.Path, "dhclient.conf");
        await File.WriteAllTextAsync(configuration, """
            option rfc3442-classless-static-routes code 121 = array of unsigned integer 8;
            request subnet-mask, rfc3442-classless-static-routes;
            """, TestContext.Current.CancellationToken);
        var lease = Dhclient(site, folder, configuration);
        var expected = string.Join(',', Enumerable.Range(1, 45).Select(i => $"24,10,17,{i},10,91,0,2")) + ",0,10,91,0,1";
        Assert.Contains($"option rfc3442-classless-static-routes {expected};", lease, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_that_somebody_uses_without_a_lease_is_found_by_the_probe_and_not_given()
    {
        await using var site = new DhcpSite();
        site.Network = site.Network with { DetectConflicts = true };
        // The squatter sits on the same card as the client: its kernel answers the echo.
        site.ClientSide.Ip("addr", "add", "10.91.0.100/24", "dev", DhcpSite.Link);
        site.Start(probe: true);
        Assert.Equal("10.91.0.101", Udhcpc(site)["ip"]);
        Assert.Equal(IPAddress.Parse("10.91.0.100"), (await site.WaitForAsync(DhcpEventKind.Conflict)).Address);
    }

    [Fact]
    public async Task Dhcpcd_gets_what_an_ordinary_host_needs()
    {
        await using var site = new DhcpSite();
        site.Start();
        // What it had the last time it would ask for again.
        File.Delete($"/var/lib/dhcpcd/{DhcpSite.Link}.lease");
        var result = site.ClientSide.Execute("dhcpcd", "-4", "-B", "-1", "-A", "-D", "-t", "20", "--noipv4ll", "-o", "domain_name", "-f", "/dev/null", "-c", "/usr/bin/env", DhcpSite.Link);
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Contains("new_ip_address=10.91.0.100\n", result.Output, StringComparison.Ordinal);
        Assert.Contains("new_domain_name=boot.example\n", result.Output, StringComparison.Ordinal);
        Assert.Contains("new_dhcp_renewal_time=21600\n", result.Output, StringComparison.Ordinal);
        // It names itself by a DUID (RFC 4361), and is known by its card all the same.
        var client = (await site.WaitForAsync(DhcpEventKind.Acknowledged)).Client!;
        Assert.Equal((255, DhcpSite.ClientMac), (client.ClientId.Span[0], client.Hardware.ToString()));
    }

    [Fact]
    public async Task Udhcpc_that_finds_its_address_taken_declines_it_and_gets_another()
    {
        await using var site = DhcpSite.ForMachines();
        site.ConnectOtherHost();
        // Somebody on the link has the first address already; this server does not probe.
        site.ClientSide.Ip("addr", "add", "10.91.0.100/24", "dev", "other0");
        site.Start();
        using var client = site.ConnectClient("two0");
        Assert.Equal("10.91.0.101", Udhcpc(site, client, "-i", "two0", "-a", "-A", "1")["ip"]);
        Assert.Equal(IPAddress.Parse("10.91.0.100"), (await site.WaitForAsync(DhcpEventKind.Declined)).Address);
        Assert.Equal([LeaseState.Declined, LeaseState.Bound], site.Store.Load().OrderBy(l => l.Address.ToString()).Select(l => l.State));
    }

    [Fact]
    public async Task Perfdhcp_loses_nothing_and_each_of_its_clients_has_a_lease_of_its_own()
    {
        using var folder = new TemporaryFolder();
        using var store = new SqliteLeaseStore(Path.Combine(folder.Path, "leases.db"));
        await using var site = new DhcpSite { Store = store };
        site.Network = site.Network with { Pool = [new AddressRange(IPAddress.Parse("10.91.0.100"), IPAddress.Parse("10.91.0.249"))] };
        site.ClientSide.Ip("addr", "add", "10.91.0.9/24", "dev", DhcpSite.Link);
        site.Start();
        var result = site.ClientSide.Execute("perfdhcp", "-4", "-r", "100", "-R", "150", "-n", "150", "-W", "500000", "-l", DhcpSite.Link, "10.91.0.1");
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Equal(["drops: 0", "drops: 0"], result.Output.Split('\n').Where(l => l.StartsWith("drops: ", StringComparison.Ordinal)));
        Assert.Equal(150, store.Load().Select(l => l.Hardware).Distinct().Count());
    }

    [Fact]
    public async Task A_client_that_takes_dnsmasqs_offer_instead_makes_that_server_known()
    {
        await using var site = DhcpSite.ForMachines();
        using var other = site.StartDnsmasq();
        // With nothing to offer, this server leaves the client to the other.
        site.Network = site.Network with { Pool = [] };
        site.Start();
        using var client = site.ConnectClient("two0");
        Udhcpc(site, client, "-i", "two0");
        Assert.Equal(IPAddress.Parse("10.91.0.2"), (await site.WaitForAsync(DhcpEventKind.OtherServer)).Server);
    }

    [Fact]
    public async Task A_second_server_on_the_link_is_found_by_asking()
    {
        await using var site = DhcpSite.ForMachines();
        using var dnsmasq = site.StartDnsmasq();
        site.Start();
        await using var watch = site.Watch();
        var heard = await site.WaitForAsync(DhcpEventKind.OtherServerHeard);
        Assert.Equal(IPAddress.Parse("10.91.0.2"), heard.Server);
        Assert.StartsWith("another DHCP server, 10.91.0.2, answers on br0 and gives addresses (10.91.0.5", heard.Text, StringComparison.Ordinal);
        // Asked for, not taken.
        Assert.DoesNotContain(dnsmasq.Lines, l => l.Contains("DHCPREQUEST", StringComparison.Ordinal));
        Assert.Equal([IPAddress.Parse("10.91.0.2")], await site.ServerSide.Run(() => OtherServerWatch.FindAsync(
            "br0", new HashSet<IPAddress>(), TimeSpan.FromSeconds(1), TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance)));
    }

    [Fact]
    public async Task A_second_server_that_comes_later_is_heard_when_it_answers_a_client()
    {
        await using var site = DhcpSite.ForMachines();
        site.ConnectOtherHost();
        site.Start();
        await using var watch = site.Watch();
        using var dnsmasq = site.StartDnsmasqOnOtherHost();
        using var client = site.ConnectClient("two0");
        Udhcpc(site, client, "-i", "two0", "-B");
        Assert.Equal(IPAddress.Parse("10.91.0.2"), (await site.WaitForAsync(DhcpEventKind.OtherServerHeard)).Server);
        // Its own broadcasts are not another's.
        Assert.DoesNotContain(site.Events, e => e.Kind == DhcpEventKind.OtherServerHeard && e.Server!.Equals(site.Network.ServerAddress));
    }

    private static Dictionary<string, string> Udhcpc(DhcpSite site, params string[] arguments) =>
        Udhcpc(site, site.ClientSide, ["-i", DhcpSite.Link, .. arguments]);

    private static Dictionary<string, string> Udhcpc(DhcpSite site, NetworkNamespace where, params string[] arguments)
    {
        using var folder = new TemporaryFolder();
        var result = where.Execute(["udhcpc", "-n", "-q", "-f", "-t", "5", "-T", "2", "-s", LeaseScript(folder), .. arguments]);
        Assert.True(result.ExitCode == 0, result.All + string.Join('\n', site.Events.Select(e => e.Text)));
        return result.Output.Split('\n').Select(l => l.Split('=', 2)).Where(p => p.Length == 2).GroupBy(p => p[0]).ToDictionary(g => g.Key, g => g.Last()[1]);
    }

    private static string LeaseScript(TemporaryFolder folder) =>
        folder.Script("lease", "[ \"$1\" = bound ] && env && ip addr replace $ip/24 dev $interface\nexit 0");

    private static string Dhclient(DhcpSite site, TemporaryFolder folder, string configuration = "/dev/null")
    {
        var script = folder.Script("dhclient-script", "exit 0");
        var leases = Path.Combine(folder.Path, "leases");
        using var client = site.ClientSide.Start("dhclient", "-4", "-1", "-v", "-d", "-lf", leases, "-cf", configuration, "-sf", script, "--no-pid", DhcpSite.Link);
        client.WaitFor("bound to");
        return File.ReadAllText(leases);
    }
}
