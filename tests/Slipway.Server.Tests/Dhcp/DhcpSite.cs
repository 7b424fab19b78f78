using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Slipway.Dhcp.Clients;
using Slipway.Dhcp.Leases;
using Slipway.Dhcp.Networks;
using Slipway.Dhcp.Server;
using Slipway.Server.Dhcp;
using Slipway.Server.Tests.Net;

namespace Slipway.Server.Tests.Dhcp;

/// <summary>Two namespaces with a cable between them: 10.91.0.1/24, where the server is, and a client without an address.</summary>
internal sealed class DhcpSite : IAsyncDisposable, IDhcpObserver
{
    public const string ClientMac = "52:54:00:91:00:01";
    public const string Link = "boot0";

    private readonly EventLog<DhcpEvent> _events = new();
    private DhcpListener? _listener;

    public DhcpSite()
        : this(ns => NetworkNamespace.Connect(ns.Server, ns.Client, Link, ClientMac))
    {
    }

    private DhcpSite(Action<(NetworkNamespace Server, NetworkNamespace Client)> connect)
    {
        connect((ServerSide, ClientSide));
        ServerSide.Ip("addr", "add", "10.91.0.1/24", "dev", Link);
    }

    /// <summary>With a tap device instead of a cable, for a virtual machine.</summary>
    public static DhcpSite ForMachines(NetworkMode mode = NetworkMode.Authoritative)
    {
        var site = new DhcpSite(ns =>
        {
            ns.Server.Ip("tuntap", "add", Link, "mode", "tap");
            ns.Server.Ip("link", "set", Link, "up");
        });
        site.Network = site.Network with { Mode = mode };
        site.Script = "tftp://10.91.0.1/script.ipxe";
        return site;
    }

    /// <summary>The DHCP server that was there before, in a namespace of its own on the same link.</summary>
    public BackgroundTool StartDnsmasq()
    {
        // Both on one host would share the port: so it gets a host of its own, behind a bridge.
        ConnectOtherHost();
        return StartDnsmasqOnOtherHost();
    }

    public BackgroundTool StartDnsmasqOnOtherHost()
    {
        var dnsmasq = ClientSide.Start("dnsmasq", "--keep-in-foreground", "--log-facility=-", "--conf-file=/dev/null", "--port=0", "--interface=other0", "--user=root",
            "--dhcp-range=10.91.0.50,10.91.0.60", "--leasefile-ro", "--pid-file=", "--dhcp-authoritative", "--no-ping");
        dnsmasq.WaitFor("DHCP, IP range");
        return dnsmasq;
    }

    /// <summary>A client of its own on the bridge.</summary>
    public NetworkNamespace ConnectClient(string link)
    {
        var client = new NetworkNamespace("two");
        ServerSide.Ip("link", "add", link, "type", "veth", "peer", "name", link, "netns", client.Name);
        ServerSide.Ip("link", "set", link, "master", "br0", "up");
        client.Ip("link", "set", link, "up");
        return client;
    }

    /// <summary>Makes the link a bridge with another host on it, 10.91.0.2.</summary>
    public void ConnectOtherHost()
    {
        ServerSide.Ip("link", "add", "other0", "type", "veth", "peer", "name", "other0", "netns", ClientSide.Name);
        ServerSide.Ip("link", "add", "br0", "type", "bridge");
        ServerSide.Ip("addr", "flush", "dev", Link);
        foreach (var port in (string[])[Link, "other0"])
            ServerSide.Ip("link", "set", port, "master", "br0", "up");
        ServerSide.Ip("addr", "add", "10.91.0.1/24", "dev", "br0");
        ServerSide.Ip("link", "set", "br0", "up");
        ClientSide.Ip("addr", "add", "10.91.0.2/24", "dev", "other0");
        ClientSide.Ip("link", "set", "other0", "up");
        Network = Network with { Interface = "br0" };
    }

    public NetworkNamespace ServerSide { get; } = new("srv");

    public NetworkNamespace ClientSide { get; } = new("cli");

    public ILeaseStore Store { get; init; } = new VolatileLeaseStore();

    public string Script { get; private set; } = "https://10.91.0.1/boot/script";

    public DhcpNetwork Network { get; set; } = new()
    {
        Name = "boot",
        Interface = Link,
        Subnet = IPNetwork.Parse("10.91.0.0/24"),
        ServerAddress = IPAddress.Parse("10.91.0.1"),
        Pool = [new AddressRange(IPAddress.Parse("10.91.0.100"), IPAddress.Parse("10.91.0.199"))],
        Routers = [IPAddress.Parse("10.91.0.1")],
        DnsServers = [IPAddress.Parse("10.91.0.53")],
        LogServers = [IPAddress.Parse("10.91.0.1")],
        DomainName = "boot.example",
        DetectConflicts = false,
    };

    public IReadOnlyList<DhcpEvent> Events => _events.All;

    public void Start(bool probe = false, string? listenOn = null)
    {
        var binaries = new Dictionary<BootPlatform, string> { [BootPlatform.X64Uefi] = "ipxe-x64.efi", [BootPlatform.Arm64Uefi] = "ipxe-arm64.efi" };
        var policy = new ChainloadPolicy(binaries.GetValueOrDefault, (_, _) => Script)
        {
            HttpBase = network => $"http://{network.ServerAddress}/firmware/",
        };
        var link = listenOn ?? Network.Interface!;
        var server = new DhcpServer([Network], policy, TimeProvider.System);
        server.Restore(Store.Load());
        _listener = ServerSide.Run(() =>
        {
            var listener = new DhcpListener(link, server, Store, this, NullLogger.Instance, probe ? IcmpProbe.Open(link) : null);
            listener.Start();
            return listener;
        });
    }

    public OtherServerWatch Watch() => ServerSide.Run(() =>
        OtherServerWatch.TryStart(Network.Interface!, new HashSet<IPAddress> { Network.ServerAddress }, this, TimeProvider.System, NullLogger.Instance)!);

    /// <summary>Stops the server and forgets what it had in memory.</summary>
    public async Task StopAsync()
    {
        if (_listener is not null)
            await _listener.DisposeAsync();
        _listener = null;
    }

    public void Observe(DhcpEvent dhcpEvent) => _events.Add(dhcpEvent);

    /// <summary>Waits until such an event has been.</summary>
    public Task<DhcpEvent> WaitForAsync(DhcpEventKind kind) => WaitForAsync(e => e.Kind == kind);

    public Task<DhcpEvent> WaitForAsync(Predicate<DhcpEvent> wanted) => _events.WaitForAsync(wanted);

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        ClientSide.Dispose();
        ServerSide.Dispose();
    }
}
