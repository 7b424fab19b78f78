using System.Net;
using System.Text;
using Slipway.Dhcp.Networks;
using Slipway.Dhcp.Server;
using Slipway.Server.Tests.Net;

namespace Slipway.Server.Tests.Dhcp;

/// <summary>Other people's relays, between the server's link and a far one: 10.92.0.0/24 and 10.93.0.0/24.</summary>
public sealed class DhcpRelayTests : IAsyncDisposable
{
    private readonly DhcpSite _site = new();
    private readonly NetworkNamespace _relay = new("rly");
    private readonly NetworkNamespace _far = new("far");
    private readonly TemporaryFolder _folder = new();

    public DhcpRelayTests()
    {
        NetworkNamespace.Connect(_site.ServerSide, _relay, "up0");
        NetworkNamespace.Connect(_relay, _far, "down0", DhcpSite.ClientMac);
        _site.ServerSide.Ip("addr", "add", "10.92.0.1/24", "dev", "up0");
        _relay.Ip("addr", "add", "10.92.0.2/24", "dev", "up0");
        _relay.Ip("addr", "add", "10.93.0.1/24", "dev", "down0");
        _relay.Execute("sysctl", "-q", "-w", "net.ipv4.ip_forward=1");
        _site.ServerSide.Ip("route", "add", "10.93.0.0/24", "via", "10.92.0.2");
        _site.Network = _site.Network with
        {
            Interface = null,
            ServerAddress = IPAddress.Parse("10.92.0.1"),
            Subnet = IPNetwork.Parse("10.93.0.0/24"),
            Pool = [new AddressRange(IPAddress.Parse("10.93.0.100"), IPAddress.Parse("10.93.0.199"))],
            Routers = [IPAddress.Parse("10.93.0.1")],
        };
        _site.Start(listenOn: "up0");
    }

    [Fact]
    public async Task Behind_ISC_dhcrelay_a_client_gets_an_address_of_its_own_network()
    {
        using var relay = _relay.Start("dhcrelay", "-4", "-d", "--no-pid", "-a", "-iu", "up0", "-id", "down0", "10.92.0.1");
        relay.WaitFor("Sending on   Socket/fallback");
        using var client = Lease();
        var relayed = (await _site.WaitForAsync(DhcpEventKind.Acknowledged)).Client!;
        Assert.Equal(IPAddress.Parse("10.93.0.1"), relayed.RelayAddress);
        Assert.Equal("down0", Encoding.ASCII.GetString(relayed.Relay!.CircuitId.Span));
    }

    [Fact]
    public async Task Behind_dnsmasq_a_client_gets_an_address_and_renews_it_past_the_relay()
    {
        using var relay = _relay.Start("dnsmasq", "--keep-in-foreground", "--log-facility=-", "--log-dhcp", "--conf-file=/dev/null", "--port=0", "--user=root", "--pid-file=",
            "--leasefile-ro", "--dhcp-relay=10.93.0.1,10.92.0.1");
        relay.WaitFor("DHCP relay from 10.93.0.1 to 10.92.0.1");
        using var client = Lease();
        Assert.Equal(IPAddress.Parse("10.93.0.1"), (await _site.WaitForAsync(DhcpEventKind.Acknowledged)).Client!.RelayAddress);

        // SIGUSR1 is udhcpc's "renew now": by unicast to the server, through the router that the relay is on (RFC 2131 §4.3.2).
        client.Signal("USR1");
        client.WaitFor("obtained from", times: 2);
        // The client may have its answer before the event of it is told.
        var renewal = await _site.WaitForAsync(e => e.Kind == DhcpEventKind.Acknowledged && e.Client!.RelayAddress.Equals(IPAddress.Any));
        Assert.Equal(IPAddress.Parse("10.93.0.100"), renewal.Address);
    }

    public async ValueTask DisposeAsync()
    {
        await _site.DisposeAsync();
        _relay.Dispose();
        _far.Dispose();
        _folder.Dispose();
    }

    private BackgroundTool Lease()
    {
        var script = _folder.Script("lease", "[ \"$1\" = bound ] && ip addr replace $ip/24 dev $interface && ip route replace default via $router\nexit 0");
        var client = _far.Start("udhcpc", "-f", "-t", "5", "-T", "2", "-s", script, "-i", "down0");
        client.WaitFor("lease of 10.93.0.100 obtained from 10.92.0.1");
        return client;
    }
}
