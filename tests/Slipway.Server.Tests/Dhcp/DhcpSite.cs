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
    {
        NetworkNamespace.Connect(ServerSide, ClientSide, Link, ClientMac);
        ServerSide.Ip("addr", "add", "10.91.0.1/24", "dev", Link);
    }

    public NetworkNamespace ServerSide { get; } = new("srv");

    public NetworkNamespace ClientSide { get; } = new("cli");

    public ILeaseStore Store { get; init; } = new VolatileLeaseStore();

    public DhcpNetwork Network { get; init; } = new()
    {
        Name = "boot",
        Interface = Link,
        Subnet = IPNetwork.Parse("10.91.0.0/24"),
        ServerAddress = IPAddress.Parse("10.91.0.1"),
        Pool = [new AddressRange(IPAddress.Parse("10.91.0.100"), IPAddress.Parse("10.91.0.199"))],
        Routers = [IPAddress.Parse("10.91.0.1")],
        DnsServers = [IPAddress.Parse("10.91.0.53")],
        DomainName = "boot.example",
        DetectConflicts = false,
    };

    public IReadOnlyList<DhcpEvent> Events => _events.All;

    public void Start(bool probe = false)
    {
        var policy = new ChainloadPolicy(new Dictionary<BootPlatform, string> { [BootPlatform.X64Uefi] = "ipxe-x64.efi" }, (_, _) => "https://10.91.0.1/boot/script");
        var server = new DhcpServer([Network], policy, TimeProvider.System);
        server.Restore(Store.Load());
        _listener = ServerSide.Run(() =>
        {
            var listener = new DhcpListener(Link, server, Store, this, NullLogger.Instance, probe ? IcmpProbe.Open(Link) : null);
            listener.Start();
            return listener;
        });
    }

    /// <summary>Stops the server and forgets what it had in memory.</summary>
    public async Task StopAsync()
    {
        if (_listener is not null)
            await _listener.DisposeAsync();
        _listener = null;
    }

    public void Observe(DhcpEvent dhcpEvent) => _events.Add(dhcpEvent);

    /// <summary>Waits until such an event has been.</summary>
    public Task<DhcpEvent> WaitForAsync(DhcpEventKind kind) => _events.WaitForAsync(e => e.Kind == kind);

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        ClientSide.Dispose();
        ServerSide.Dispose();
    }
}
