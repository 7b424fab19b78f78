using System.Net;
using Slipway.Dhcp.Networks;
using Slipway.Dhcp.Server;
using Slipway.Dhcp.Tests.Server;
using Slipway.Dhcp.Wire;
using Slipway.Tests.Fuzz;

namespace Slipway.Dhcp.Tests.Fuzz;

/// <summary>Any packet, from anywhere: an answer that can be read, an address that may be given, or one line that says why not.</summary>
[Collection("Fuzz")]
public class DhcpFuzzTests
{
    private const int Executions = 1_000_000;

    private static readonly IPAddress[] Sources = [IPAddress.Any, IPAddress.Parse("10.0.0.11"), IPAddress.Parse("10.7.0.254"), IPAddress.Parse("192.0.2.1")];

    private static readonly DhcpNetwork Far = Conversation.Boot with
    {
        Name = "far",
        Interface = null,
        Subnet = IPNetwork.Parse("10.7.0.0/16"),
        Pool = [Conversation.Range("10.7.1.0", "10.7.1.255")],
        Reservations = [new Reservation(IPAddress.Parse("10.7.0.14")) { CircuitId = "port"u8.ToArray() }],
    };

    private static readonly DhcpNetwork Proxied = Conversation.Boot with
    {
        Name = "proxied",
        Interface = "eth1",
        Subnet = IPNetwork.Parse("10.8.0.0/24"),
        ServerAddress = IPAddress.Parse("10.8.0.1"),
        Pool = [],
        Mode = NetworkMode.Proxy,
    };

    [Fact]
    public async Task Any_packet_is_answered_or_explained()
    {
        var mutator = new Mutator(11);
        var seeds = Seeds();
        var input = new byte[1400];
        var c = new Conversation(Conversation.Boot, Far, Proxied);
        await FuzzRun.ExecuteAsync(Executions, i =>
        {
            var length = mutator.Mutate(seeds[i % seeds.Length], seeds[mutator.Next(seeds.Length)], input);
            // What is kept of a packet is the packet: as in the listener, nobody else writes into it.
            var packet = input.AsMemory(0, length).ToArray();
            var arrival = new Arrival((i & 1) == 0 ? "eth0" : "eth1", Sources[mutator.Next(Sources.Length)], 68, (i & 14) == 0 ? DhcpServer.BootServerPort : DhcpServer.Port);
            var outcome = c.Server.Handle(packet, arrival);
            if (outcome.Event.Text.AsSpan().ContainsAnyInRange('\0', '\x1F'))
                throw new InvalidOperationException($"the log line has control characters: {outcome.Event.Text}");
            if (outcome.Reply is { } reply)
                Check(reply, outcome, Convert.ToHexString(packet));
            if (i % 1000 == 0)
                c.Clock.Advance(TimeSpan.FromMinutes(7));
        });
    }

    [Fact]
    public async Task What_is_read_is_written_and_read_again_the_same()
    {
        var mutator = new Mutator(12);
        var seeds = Seeds();
        var input = new byte[1400];
        await FuzzRun.ExecuteAsync(Executions, i =>
        {
            var length = mutator.Mutate(seeds[i % seeds.Length], seeds[mutator.Next(seeds.Length)], input);
            if (!DhcpMessageReader.TryRead(input.AsMemory(0, length), out var message, out _))
                return;
            var written = DhcpMessageWriter.Write(message, 4096, out var omitted);
            if (omitted.Count > 0)
                throw new InvalidOperationException($"{omitted[0]} was left out of 4096 bytes");
            if (!DhcpMessageReader.TryRead(written, out var again, out var reason))
                throw new InvalidOperationException(reason);
            if (again.Hardware != message.Hardware || again.Type != message.Type || again.Options.Count != message.Options.Count
                || !again.Options.All.All(o => message.Options.Find(o.Code) is { } v && v.Span.SequenceEqual(o.Value.Span)))
                throw new InvalidOperationException(Convert.ToHexString(input.AsSpan(0, length)));
        });
    }

    private static void Check(DhcpReply reply, DhcpOutcome outcome, string input)
    {
        if (!DhcpMessageReader.TryRead(reply.Packet, out var message, out var reason))
            throw new InvalidOperationException($"{input}: the answer cannot be read: {reason}");
        var given = message.YourAddress;
        var may = given.Equals(IPAddress.Any) || Within(Conversation.Boot.Pool[0], given) || Within(Far.Pool[0], given) || Far.Reservations[0].Address.Equals(given);
        if (!may || message.Op != 2 || reply.Packet.Length > 1472)
            throw new InvalidOperationException($"{input}: {outcome.Event.Text}");
        if (message.Type == MessageType.Ack && !given.Equals(IPAddress.Any) && outcome.Lease is null)
            throw new InvalidOperationException($"{input}: acknowledged without a lease");
    }

    private static bool Within(AddressRange range, IPAddress address) =>
        address.GetAddressBytes().AsSpan().SequenceCompareTo(range.First.GetAddressBytes()) >= 0
        && address.GetAddressBytes().AsSpan().SequenceCompareTo(range.Last.GetAddressBytes()) <= 0;

    private static byte[][] Seeds()
    {
        return
        [
            Packet(MessageType.Discover, _ => { }),
            Packet(MessageType.Discover, m => Conversation.Pxe(m, 7)),
            Packet(MessageType.Discover, Conversation.Http),
            Packet(MessageType.Discover, Conversation.Ipxe),
            Packet(MessageType.Discover, m =>
            {
                m.RelayAddress = IPAddress.Parse("10.7.0.254");
                m.Options.Set(OptionCode.RelayAgentInformation, new byte[] { 1, 4, (byte)'p', (byte)'o', (byte)'r', (byte)'t', 5, 4, 10, 7, 0, 0 });
            }),
            Packet(MessageType.Request, m =>
            {
                m.Options.Set(OptionCode.ServerIdentifier, IPAddress.Parse("10.0.0.1"));
                m.Options.Set(OptionCode.RequestedAddress, IPAddress.Parse("10.0.0.10"));
            }),
            Packet(MessageType.Request, m => m.ClientAddress = IPAddress.Parse("10.0.0.11")),
            Packet(MessageType.Decline, m => m.Options.Set(OptionCode.RequestedAddress, IPAddress.Parse("10.0.0.10"))),
            Packet(MessageType.Release, m => m.ClientAddress = IPAddress.Parse("10.0.0.10")),
            Packet(MessageType.Inform, m => m.ClientAddress = IPAddress.Parse("10.0.0.10")),
            Packet(MessageType.Discover, m =>
            {
                // Long enough to be split, and to borrow file and sname.
                m.Options.Set(OptionCode.ClientIdentifier, new byte[300]);
                m.Options.Set(OptionCode.UserClass, new byte[] { 4, 1, 2, 3, 4 });
                m.Options.Set(OptionCode.ParameterRequestList, new byte[] { 1, 3, 6, 12, 66, 67, 121 });
                m.Options.Set(OptionCode.MaximumMessageSize, new byte[] { 2, 64 });
            }),
        ];

        static byte[] Packet(MessageType type, Action<DhcpMessage> with)
        {
            var message = new DhcpMessage { Hardware = HardwareAddress.Parse(Conversation.Mac), Xid = 7, Type = type };
            with(message);
            return DhcpMessageWriter.Write(message, 576, out _);
        }
    }
}
