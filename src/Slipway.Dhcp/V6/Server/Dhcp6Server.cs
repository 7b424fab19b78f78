using System.Buffers.Binary;
using System.Net;
using Slipway.Dhcp.Leases;
using Slipway.Dhcp.Networks;
using Slipway.Dhcp.Server;
using Slipway.Dhcp.V6.Leases;
using Slipway.Dhcp.V6.Wire;
using Slipway.Dhcp.Wire;

namespace Slipway.Dhcp.V6.Server;

/// <summary>
/// The server of RFC 8415 without its sockets: a packet goes in, what to do about it comes out. It lends single addresses
/// (IA_NA), no prefixes and no temporary ones. It keeps the leases in memory; the host makes them durable. Thread-safe.
/// </summary>
public sealed class Dhcp6Server
{
    public const int Port = 547;
    public const int ClientPort = 546;

    /// <summary>All_DHCP_Relay_Agents_and_Servers.</summary>
    public static readonly IPAddress LinkGroup = IPAddress.Parse("ff02::1:2");

    /// <summary>All_DHCP_Servers, for relays.</summary>
    public static readonly IPAddress SiteGroup = IPAddress.Parse("ff05::1:3");

    private readonly Lock _gate = new();
    private readonly IBootUrls _urls;
    private readonly byte[] _identity;
    private readonly TimeProvider _clock;
    private List<BindingTable> _tables = [];

    /// <param name="card">A network card of this host: what the server is called by (§11.4).</param>
    public Dhcp6Server(IEnumerable<Dhcp6Network> networks, IBootUrls urls, HardwareAddress card, TimeProvider clock)
    {
        (_urls, _identity, _clock) = (urls, Duid.Of(card), clock);
        Configure(networks);
    }

    /// <summary>Takes new networks; leases stay where their address is still in one of them.</summary>
    public void Configure(IEnumerable<Dhcp6Network> networks)
    {
        var tables = networks.Select(n => new BindingTable(n)).ToList();
        lock (_gate)
        {
            foreach (var binding in _tables.SelectMany(t => t.Bindings))
            {
                if (tables.Find(t => t.Network.Subnet.Contains(binding.Address)) is not { } table)
                    continue;
                if (binding.State == BindingState.Quarantined)
                    table.Quarantine(binding.Address, binding.End);
                else
                    table.Assign(binding.Key, binding.Hardware, null, binding.Address, binding.State, binding.End);
            }
            _tables = tables;
        }
    }

    /// <summary>Takes back what the store kept: call it before the first packet. Leases of other networks are passed over.</summary>
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
                else if (lease.ClientId.Length > 4)
                {
                    var key = new BindingKey(Convert.ToHexString(lease.ClientId.Span[4..]), BinaryPrimitives.ReadUInt32BigEndian(lease.ClientId.Span));
                    table.Assign(key, lease.Hardware, null, lease.Address, lease.State == LeaseState.Bound ? BindingState.Bound : BindingState.Ended, lease.End);
                }
            }
        }
    }

    /// <summary>Who has this address now; null where nobody has, or only a client whose network card is not known.</summary>
    public HardwareAddress? HolderOf(IPAddress address)
    {
        lock (_gate)
        {
            var table = _tables.Find(t => t.Network.Subnet.Contains(address));
            return table?.At(address) is { State: BindingState.Bound } binding && binding.End > _clock.GetUtcNow() && binding.Hardware != default ? binding.Hardware : null;
        }
    }

    /// <summary>The packet is kept by what is made of it: give it a buffer that nobody reuses.</summary>
    public Dhcp6Outcome Handle(ReadOnlyMemory<byte> packet, Dhcp6Arrival arrival)
    {
        var now = _clock.GetUtcNow();
        if (!Relay6.TryUnwrap(packet, out var inner, out var relays, out var reason) || !Dhcp6Message.TryRead(inner, out var request, out reason))
            return Say(DhcpEventKind.Malformed, now, $"malformed, from {arrival.Source} on {arrival.Interface}: {reason}");
        lock (_gate)
        {
            // The relay next to the client is the innermost, but it need not know the link (§19.1.1): then the next one says.
            var link = relays.FindLast(r => !r.Link.Equals(IPAddress.IPv6Any))?.Link;
            var table = _tables.Find(t => relays.Count > 0 ? link is not null && t.Network.Subnet.Contains(link) : t.Network.Interface == arrival.Interface);
            if (table is null || table.Network.Mode == NetworkMode.Off)
                return Say(DhcpEventKind.Ignored, now, relays.Count > 0 ? $"no network contains the relay's {link}" : $"no IPv6 network is on {arrival.Interface}");
            var client = Client6.From(request, relays.Count > 0 ? relays[^1] : null, arrival.Source);
            var (outcome, reply) = new Exchange6(request, client, table, _urls, _identity, now).Answer();
            return reply is null ? outcome : outcome with { Reply = Relay6.Wrap(reply.ToArray(), relays) };
        }
    }

    /// <summary>What a lease keeps of who has it: the IAID in four bytes, then the DUID.</summary>
    internal static byte[] ClientIdOf(uint association, ReadOnlySpan<byte> duid)
    {
        var bytes = new byte[4 + duid.Length];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, association);
        duid.CopyTo(bytes.AsSpan(4));
        return bytes;
    }

    private static Dhcp6Outcome Say(DhcpEventKind kind, DateTimeOffset now, string text) => new(new DhcpEvent(kind, now, _ => text));
}
