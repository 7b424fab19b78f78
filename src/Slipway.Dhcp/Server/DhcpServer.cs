using System.Net;
using Slipway.Dhcp.Clients;
using Slipway.Dhcp.Leases;
using Slipway.Dhcp.Networks;
using Slipway.Dhcp.Wire;

namespace Slipway.Dhcp.Server;

/// <summary>
/// The server of RFC 2131 without its sockets: a packet goes in, what to do about it comes out. It keeps the leases of
/// all networks in memory; the host makes them durable. Thread-safe: packets are handled one at a time.
/// </summary>
public sealed class DhcpServer
{
    public const int Port = 67;
    public const int ClientPort = 68;

    /// <summary>PXE boot server and proxy requests (PXE 2.1 §2.2.3).</summary>
    public const int BootServerPort = 4011;

    private readonly Lock _gate = new();
    private readonly TimeProvider _clock;
    private readonly IBootPolicy _policy;
    private List<LeaseTable> _tables = [];

    public DhcpServer(IEnumerable<DhcpNetwork> networks, IBootPolicy policy, TimeProvider clock)
    {
        _policy = policy;
        _clock = clock;
        Configure(networks);
    }

    /// <summary>Takes new networks; leases stay where their address is still in one of them.</summary>
    public void Configure(IEnumerable<DhcpNetwork> networks)
    {
        var tables = networks.Select(n => new LeaseTable(n)).ToList();
        lock (_gate)
        {
            foreach (var table in tables)
            {
                foreach (var holding in _tables.SelectMany(t => t.Holdings).Where(h => table.Network.Subnet.Contains(h.Address)))
                    table.Adopt(holding);
            }
            _tables = tables;
        }
    }

    /// <summary>Takes back what the store kept: call it before the first packet.</summary>
    public void Restore(IEnumerable<Lease> leases)
    {
        lock (_gate)
        {
            foreach (var lease in leases.OrderBy(l => l.Start))
            {
                if (_tables.Find(t => t.Network.Subnet.Contains(lease.Address)) is not { } table)
                    continue;
                if (lease.State == LeaseState.Declined)
                    table.Quarantine(lease.Address, lease.End);
                else
                    table.Assign(ClientKey.Of(table.Network.Identity, lease.Hardware, lease.ClientId), lease.Address,
                        lease.State == LeaseState.Bound ? HoldingState.Bound : HoldingState.Ended, lease.End).Hardware = lease.Hardware;
            }
        }
    }

    /// <summary>Who has this address now; null where nobody has.</summary>
    public HardwareAddress? HolderOf(IPAddress address)
    {
        lock (_gate)
        {
            var now = _clock.GetUtcNow();
            foreach (var table in _tables)
            {
                if (table.At(address) is { State: HoldingState.Bound } holding && holding.End > now)
                    return holding.Hardware;
            }
            return null;
        }
    }

    /// <summary>The packet is kept by what is made of it: give it a buffer that nobody reuses.</summary>
    public DhcpOutcome Handle(ReadOnlyMemory<byte> packet, Arrival arrival)
    {
        var now = _clock.GetUtcNow();
        if (!DhcpMessageReader.TryRead(packet, out var message, out var reason))
            return new DhcpOutcome(new DhcpEvent(DhcpEventKind.Malformed, now, _ => $"malformed, from {arrival.Source} on {arrival.Interface}: {reason}"));
        var client = DhcpClient.From(message);
        if (message.Op != 1)
            return Ignored(client, now, null, "it is a reply");
        lock (_gate)
        {
            if (TableFor(message, client, arrival) is not { } table)
            {
                return Ignored(client, now, null, message.IsRelayed
                    ? $"no network contains the relay's {client.Relay?.LinkSelection ?? message.RelayAddress}"
                    : $"no network is on {arrival.Interface}");
            }
            var exchange = new Exchange(message, client, table, arrival, _policy, now);
            return table.Network.Mode switch
            {
                NetworkMode.Authoritative when arrival.LocalPort == Port => new AddressService(exchange).Answer(),
                NetworkMode.Proxy or NetworkMode.Authoritative => new ProxyService(exchange).Answer(),
                _ => Ignored(client, now, table.Network.Name, "the network is off"),
            };
        }
    }

    /// <summary>An address that was to be offered is in use by a machine that did not get it here.</summary>
    public DhcpEvent ReportConflict(IPAddress address)
    {
        var now = _clock.GetUtcNow();
        lock (_gate)
        {
            var table = _tables.Find(t => t.Network.Subnet.Contains(address));
            table?.Quarantine(address, now + table.Network.Quarantine);
            return new DhcpEvent(DhcpEventKind.Conflict, now, _ => $"{address} answers a probe, though nobody leased it: not offered for {table?.Network.Quarantine}")
            {
                Network = table?.Network.Name,
                Address = address,
            };
        }
    }

    // The link named by the relay (RFC 3527) or the client (RFC 3011), the relay's own, the client's where it has an
    // address already, the interface's.
    private LeaseTable? TableFor(DhcpMessage message, DhcpClient client, Arrival arrival)
    {
        if (client.Relay?.LinkSelection is { } link)
            return Containing(link);
        if (message.IsRelayed)
            return message.Options.Address(OptionCode.SubnetSelection) is { } subnet ? Containing(subnet) : Containing(message.RelayAddress);
        // A renewal comes from behind a relay without it, to this server directly (RFC 2131 §4.3.2).
        if (!message.ClientAddress.Equals(IPAddress.Any) && Containing(message.ClientAddress) is { Network.Interface: null } afar)
            return afar;
        return _tables.Find(t => t.Network.Interface == arrival.Interface);
    }

    private LeaseTable? Containing(IPAddress address) => _tables.Find(t => t.Network.Subnet.Contains(address));

    private static DhcpOutcome Ignored(DhcpClient client, DateTimeOffset now, string? network, string why) =>
        new(new DhcpEvent(DhcpEventKind.Ignored, now, who => $"{who} not answered: {why}") { Client = client, Network = network });
}
