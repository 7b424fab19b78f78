using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Slipway.Dhcp.Clients;
using Slipway.Dhcp.Networks;
using Slipway.Dhcp.Server;
using Slipway.Server.Dhcp;

// The DHCP server alone, for perfdhcp: an interface, the file for its leases. Ends with its standard input.
if (args is not [var link, var file, .. var rest] || rest is not ([] or ["sync"]))
{
    Console.Error.WriteLine("usage: Slipway.Bench.Dhcp INTERFACE LEASES.db [sync]");
    return 2;
}
var network = new DhcpNetwork
{
    Name = "bench",
    Interface = link,
    Subnet = IPNetwork.Parse("10.64.0.0/12"),
    ServerAddress = IPAddress.Parse("10.64.0.1"),
    Pool = [new AddressRange(IPAddress.Parse("10.65.0.0"), IPAddress.Parse("10.79.255.254"))],
    Routers = [IPAddress.Parse("10.64.0.1")],
    LeaseTime = TimeSpan.FromHours(1),
    DetectConflicts = false,
};
using var store = new SqliteLeaseStore(file, syncEachBatch: rest.Length > 0);
var policy = new ChainloadPolicy(new Dictionary<BootPlatform, string>(), (_, _) => null);
var server = new DhcpServer([network], policy, TimeProvider.System);
server.Restore(store.Load());
await using var listener = new DhcpListener(link, server, store, new Silent(), NullLogger.Instance);
listener.Start();
Console.WriteLine("serving");
while (Console.ReadLine() is not null)
{
}
return 0;

internal sealed class Silent : IDhcpObserver
{
    public void Observe(DhcpEvent dhcpEvent)
    {
    }
}
