using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Slipway.Dhcp.Clients;
using Slipway.Dhcp.Leases;
using Slipway.Dhcp.Server;
using Slipway.Dhcp.V6.Server;
using Slipway.Dhcp.Wire;
using Slipway.Server.Dhcp;
using Slipway.Server.Tests.Net;

namespace Slipway.Server.Tests.Dhcp;

/// <summary>Real clients and a real relay of DHCPv6, on cables of their own; leases in a database.</summary>
public sealed class Dhcp6ClientsTests : IAsyncDisposable, IDhcpObserver, IBootUrls
{
    private const string Link = "boot0";
    private readonly NetworkNamespace _serverSide = new("srv6");
    private readonly NetworkNamespace _clientSide = new("cli6");
    private readonly TemporaryFolder _folder = new();
    private readonly EventLog<DhcpEvent> _events = new();
    private SqliteLeaseStore? _store;
    private Dhcp6Listener? _listener;

    public Dhcp6ClientsTests()
    {
        NetworkNamespace.Connect(_serverSide, _clientSide, Link, DhcpSite.ClientMac);
        AddLinkLocal(_serverSide, Link, "fe80::1");
        AddLinkLocal(_clientSide, Link, "fe80::5054:ff:fe91:1");
        _serverSide.Ip("addr", "add", "fd00:91::1/64", "dev", Link, "nodad");
    }

    [Fact]
    public async Task Dhclient_gets_an_address_keeps_it_over_a_restart_and_gives_it_back()
    {
        Start(Near);
        Lease(_clientSide, Link);
        var given = await WaitForAsync(DhcpEventKind.Acknowledged);
        Assert.Equal((IPAddress.Parse("fd00:91::100"), HardwareAddress.Parse(DhcpSite.ClientMac)), (given.Address, given.Client!.Hardware));
        Assert.Contains("option dhcp6.name-servers fd00:91::53", await File.ReadAllTextAsync(Leases, TestContext.Current.CancellationToken), StringComparison.Ordinal);

        await StopAsync();
        Start(Near);
        // What it has it asks about, and then again for the same.
        Lease(_clientSide, Link);
        Assert.Equal(IPAddress.Parse("fd00:91::100"), Assert.Single(_store!.Load()).Address);

        Tool.Run("ip", "netns", "exec", _clientSide.Name, "dhclient", "-6", "-r", "-lf", Leases, "-pf", Path.Combine(_folder.Path, "pid"), "-sf", "/bin/true", Link);
        await WaitForAsync(DhcpEventKind.Released);
        Assert.Equal(LeaseState.Released, Assert.Single(_store.Load()).State);
    }

    [Fact]
    public async Task Dhcpcd_takes_the_address_of_the_same_card()
    {
        Start(Near);
        Lease(_clientSide, Link);
        // What it had the last time it would only ask about.
        File.Delete($"/var/lib/dhcpcd/{Link}.lease6");
        // Its own hooks would write the name servers into this machine's resolv.conf.
        Tool.Run("ip", "netns", "exec", _clientSide.Name, "dhcpcd", "-6", "-1", "-B", "--noipv6rs", "--ia_na", "-t", "20", "-f", "/dev/null", "-c", "/bin/true", Link);
        await _events.WaitForAsync(e => e.Kind == DhcpEventKind.Acknowledged && _events.All.Count(o => o.Kind == DhcpEventKind.Acknowledged) > 1);
        Assert.Equal(IPAddress.Parse("fd00:91::100"), Assert.Single(_store!.Load()).Address);
    }

    [Fact]
    public async Task Behind_ISC_dhcrelay_a_client_gets_an_address_of_its_own_network()
    {
        using var far = new NetworkNamespace("far6");
        NetworkNamespace.Connect(_clientSide, far, "down0", "52:54:00:92:00:01");
        _clientSide.Ip("addr", "add", "fd00:91::2/64", "dev", Link, "nodad");
        _clientSide.Ip("addr", "add", "fd00:92::1/64", "dev", "down0", "nodad");
        _serverSide.Ip("route", "add", "fd00:92::/64", "via", "fd00:91::2");
        AddLinkLocal(_clientSide, "down0", "fe80::1");
        AddLinkLocal(far, "down0", "fe80::5054:ff:fe92:1");
        Start(Near, Near with
        {
            Name = "far",
            Interface = null,
            Subnet = IPNetwork.Parse("fd00:92::/64"),
            Pool = (IPAddress.Parse("fd00:92::100"), IPAddress.Parse("fd00:92::1ff")),
        });
        using var relay = _clientSide.Start("dhcrelay", "-6", "-d", "--no-pid", "-I", "-l", "down0", "-u", $"fd00:91::1%{Link}");
        relay.WaitFor("Sending on");
        Lease(far, "down0");
        var given = await WaitForAsync(DhcpEventKind.Acknowledged);
        Assert.Equal(("far", IPAddress.Parse("fd00:92::100"), HardwareAddress.Parse("52:54:00:92:00:01")), (given.Network, given.Address, given.Client!.Hardware));
    }

    void IDhcpObserver.Observe(DhcpEvent dhcpEvent) => _events.Add(dhcpEvent);

    string? IBootUrls.UrlFor(DhcpClient client, Dhcp6Network network) => null;

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _clientSide.Dispose();
        _serverSide.Dispose();
        _folder.Dispose();
    }

    private static Dhcp6Network Near { get; } = new()
    {
        Name = "boot",
        Interface = Link,
        Subnet = IPNetwork.Parse("fd00:91::/64"),
        ServerAddress = IPAddress.Parse("fd00:91::1"),
        Pool = (IPAddress.Parse("fd00:91::100"), IPAddress.Parse("fd00:91::1ff")),
        DnsServers = [IPAddress.Parse("fd00:91::53")],
    };

    private string Leases => Path.Combine(_folder.Path, "dhclient.leases");

    private Task<DhcpEvent> WaitForAsync(DhcpEventKind kind) => _events.WaitForAsync(e => e.Kind == kind);

    private void Start(params Dhcp6Network[] networks)
    {
        _store = new SqliteLeaseStore(Path.Combine(_folder.Path, "leases.db"));
        var server = new Dhcp6Server(networks, this, HardwareAddress.Parse("02:00:00:00:00:01"), TimeProvider.System);
        server.Restore(_store.Load());
        _listener = _serverSide.Run(() =>
        {
            var listener = new Dhcp6Listener(Link, server, _store, this, NullLogger.Instance);
            listener.Start();
            return listener;
        });
    }

    private async Task StopAsync()
    {
        if (_listener is not null)
            await _listener.DisposeAsync();
        _store?.Dispose();
        (_listener, _store) = (null, null);
    }

    // It stays in the foreground, and has ended, with its port, when it is disposed of.
    private void Lease(NetworkNamespace client, string link)
    {
        using var dhclient = client.Start("dhclient", "-6", "-d", "-1", "-v", "-lf", Leases, "-pf", Path.Combine(_folder.Path, "pid"), "-sf", "/bin/true", link);
        dhclient.WaitFor("PRC: Bound to lease");
    }

    // The kernel makes one when it has found the link up, some time later.
    private static void AddLinkLocal(NetworkNamespace side, string link, string address)
    {
        side.Ip("link", "set", link, "addrgenmode", "none");
        side.Ip("addr", "flush", "dev", link, "scope", "link");
        side.Ip("addr", "add", $"{address}/64", "dev", link, "nodad");
    }
}
