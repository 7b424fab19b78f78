using System.Net;
using Slipway.Dhcp.Server;
using Slipway.Dhcp.Wire;

namespace Slipway.Dhcp.Tests.Server;

public class OtherServersTests
{
    private static readonly IPAddress Own = IPAddress.Parse("10.0.0.1"), Other = IPAddress.Parse("10.0.0.2");

    private readonly TestClock _clock = new();
    private readonly OtherServers _others;

    public OtherServersTests() => _others = new OtherServers(new HashSet<IPAddress> { Own }, _clock);

    [Fact]
    public void Another_server_is_told_once_an_hour()
    {
        Assert.Equal(Other, Hear(MessageType.Offer, Other)!.Server);
        Assert.Null(Hear(MessageType.Ack, Other));
        Assert.NotNull(Hear(MessageType.Offer, IPAddress.Parse("10.0.0.3")));
        _clock.Advance(TimeSpan.FromHours(1));
        Assert.NotNull(Hear(MessageType.Offer, Other));
    }

    [Fact]
    public void Its_own_answers_refusals_and_clients_are_nobody_elses_server()
    {
        Assert.Null(Hear(MessageType.Offer, Own));
        Assert.Null(Hear(MessageType.Nak, Other));
        Assert.Null(Hear(MessageType.Discover, Other, op: 1));
        Assert.Null(_others.Hear(new byte[300], Other, "eth0"));
    }

    [Fact]
    public void A_proxy_is_told_as_one() =>
        Assert.Contains("tells machines what to boot", Hear(MessageType.Offer, Other, address: "0.0.0.0")!.Text, StringComparison.Ordinal);

    [Fact]
    public void Any_number_of_invented_servers_is_bounded()
    {
        for (var i = 0; i < 10_000; i++)
            Hear(MessageType.Offer, new IPAddress(new byte[] { 10, 1, (byte)(i >> 8), (byte)i }));
        Assert.NotNull(Hear(MessageType.Offer, Other));
    }

    [Fact]
    public void The_probe_is_a_discover_that_is_answered_to_everybody()
    {
        Assert.True(DhcpMessageReader.TryRead(OtherServers.Probe(HardwareAddress.Parse(Conversation.Mac), 7), out var probe, out _));
        Assert.Equal((1, MessageType.Discover, true, 7u), (probe.Op, probe.Type, probe.Broadcast, probe.Xid));
    }

    private DhcpEvent? Hear(MessageType type, IPAddress server, byte op = 2, string address = "10.0.0.50")
    {
        var message = new DhcpMessage { Op = op, Hardware = HardwareAddress.Parse(Conversation.Mac), YourAddress = IPAddress.Parse(address), Type = type };
        message.Options.Set(OptionCode.ServerIdentifier, server);
        return _others.Hear(DhcpMessageWriter.Write(message, 576, out _), server, "eth0");
    }
}
