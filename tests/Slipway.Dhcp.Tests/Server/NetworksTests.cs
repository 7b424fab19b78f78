using System.Net;
using Slipway.Dhcp.Networks;
using Slipway.Dhcp.Server;
using Slipway.Dhcp.Wire;

namespace Slipway.Dhcp.Tests.Server;

/// <summary>Several networks, relays, reservations, exclusions.</summary>
public class NetworksTests
{
    private static readonly IPAddress RelayAddress = IPAddress.Parse("10.7.0.254");
    private static readonly byte[] RelayOption = [1, 2, 0, 7, 2, 1, 9];

    private static readonly DhcpNetwork Far = Conversation.Boot with
    {
        Name = "far",
        Interface = null,
        Subnet = IPNetwork.Parse("10.7.0.0/16"),
        Pool = [Conversation.Range("10.7.1.0", "10.7.1.255")],
        Routers = [IPAddress.Parse("10.7.0.254")],
    };

    private readonly Conversation _c = new(Conversation.Boot, Far);

    [Fact]
    public void A_relayed_client_gets_an_address_of_the_relays_network_through_the_relay()
    {
        var offer = _c.Discover(with: m => Relayed(m));
        Assert.Equal("far", offer.Outcome.Event.Network);
        Assert.Equal(IPAddress.Parse("10.7.1.0"), offer.Reply!.YourAddress);
        Assert.Equal((RelayAddress, 67, null), (offer.Outcome.Reply!.Address, offer.Outcome.Reply.Port, offer.Outcome.Reply.Link));
        Assert.Equal(RelayAddress, offer.Reply.RelayAddress);
        Assert.Equal(RelayOption, offer.Reply.Options.Find(OptionCode.RelayAgentInformation)!.Value.ToArray());
    }

    [Fact]
    public void A_refusal_through_a_relay_asks_it_to_broadcast()
    {
        var nak = _c.Send(MessageType.Request, with: m =>
        {
            Relayed(m);
            m.Options.Set(OptionCode.RequestedAddress, IPAddress.Parse("192.168.0.9"));
        });
        Assert.Equal(MessageType.Nak, nak.Reply!.Type);
        Assert.True(nak.Reply.Broadcast);
        Assert.Equal(RelayAddress, nak.Outcome.Reply!.Address);
    }

    [Fact]
    public void The_link_that_a_relay_selects_goes_before_its_own_address()
    {
        var offer = _c.Discover(with: m =>
        {
            m.RelayAddress = RelayAddress;
            m.Options.Set(OptionCode.RelayAgentInformation, new byte[] { 5, 4, 10, 0, 0, 0 });
        });
        Assert.Equal("boot", offer.Outcome.Event.Network);
    }

    [Fact]
    public void A_relay_may_name_itself_as_the_server()
    {
        void With(DhcpMessage m)
        {
            m.RelayAddress = RelayAddress;
            m.Options.Set(OptionCode.RelayAgentInformation, new byte[] { 11, 4, 10, 7, 0, 254 });
        }

        var offer = _c.Discover(with: With).Reply!;
        Assert.Equal(RelayAddress, offer.Options.Address(OptionCode.ServerIdentifier));
        Assert.Equal(MessageType.Ack, _c.Select(offer.YourAddress, with: With, server: "10.7.0.254").Reply!.Type);
    }

    [Fact]
    public void A_relay_of_no_network_is_not_answered() =>
        Assert.Equal(DhcpEventKind.Ignored, _c.Discover(with: m => m.RelayAddress = IPAddress.Parse("172.16.0.1")).Kind);

    [Fact]
    public void A_renewal_that_comes_past_the_relay_is_the_far_networks()
    {
        var address = _c.Lease(with: m => Relayed(m))!;
        var ack = _c.Send(MessageType.Request, with: m => m.ClientAddress = address, arrival: new Arrival("eth9", address, 68));
        Assert.Equal((MessageType.Ack, "far"), (ack.Reply!.Type, ack.Outcome.Event.Network));
    }

    [Fact]
    public void Reservations_are_found_by_hardware_address_uuid_identifier_and_port()
    {
        var c = new Conversation(Far with
        {
            Interface = "eth0",
            ServerAddress = IPAddress.Parse("10.7.0.1"),
            Reservations =
            [
                new Reservation(IPAddress.Parse("10.7.0.11")) { Hardware = HardwareAddress.Parse("52:54:00:00:00:11"), HostName = "eleven" },
                new Reservation(IPAddress.Parse("10.7.0.12")) { Uuid = new Guid(Enumerable.Range(1, 16).Select(i => (byte)i).ToArray()) },
                new Reservation(IPAddress.Parse("10.7.0.13")) { ClientId = new byte[] { 0, 1, 3 } },
                new Reservation(IPAddress.Parse("10.7.0.14")) { CircuitId = new byte[] { 0, 7 }, RemoteId = new byte[] { 9 } },
            ],
        });
        Assert.Equal("10.7.0.11", c.Lease("52:54:00:00:00:11")!.ToString());
        Assert.Equal("eleven", c.Discover("52:54:00:00:00:11").Reply!.Options.Text(OptionCode.HostName));
        Assert.Equal("10.7.0.12", Offered("52:54:00:00:00:12", m => Conversation.Pxe(m, 7)));
        Assert.Equal("10.7.0.13", Offered("52:54:00:00:00:13", m => m.Options.Set(OptionCode.ClientIdentifier, new byte[] { 0, 1, 3 })));
        Assert.Equal("10.7.0.14", Offered("52:54:00:00:00:14", m => Relayed(m)));
        Assert.Equal("10.7.1.0", Offered("52:54:00:00:00:15", _ => { }));

        string Offered(string mac, Action<DhcpMessage> with) => c.Discover(mac, with).Reply!.YourAddress.ToString();
    }

    [Fact]
    public void A_client_with_a_reservation_is_moved_to_it_and_nobody_else_gets_it()
    {
        var mine = _c.Lease()!;
        var reserved = Conversation.Boot with { Reservations = [new Reservation(IPAddress.Parse("10.0.0.12")) { Hardware = HardwareAddress.Parse(Conversation.Mac) }] };
        _c.Server.Configure([reserved]);
        Assert.Equal(MessageType.Nak, _c.Renew(mine.ToString()).Reply!.Type);
        Assert.Equal("10.0.0.12", _c.Lease()!.ToString());
        Assert.Equal(MessageType.Nak, _c.Reboot("10.0.0.12", "52:54:00:00:00:02").Reply!.Type);
        Assert.Equal("10.0.0.11", _c.Lease("52:54:00:00:00:02")!.ToString());
        Assert.Equal("10.0.0.10", _c.Lease("52:54:00:00:00:03")!.ToString());
        Assert.Null(_c.Lease("52:54:00:00:00:04"));
    }

    [Fact]
    public void A_client_whose_reservation_is_occupied_gets_another_address_and_may_use_it()
    {
        _c.Lease("52:54:00:00:00:02");
        _c.Server.Configure([Conversation.Boot with { Reservations = [new Reservation(IPAddress.Parse("10.0.0.10")) { Hardware = HardwareAddress.Parse(Conversation.Mac) }] }]);
        Assert.Equal("10.0.0.11", _c.Lease()!.ToString());
    }

    [Fact]
    public void Exclusions_network_and_broadcast_address_and_the_server_itself_are_not_given()
    {
        var c = new Conversation(Conversation.Boot with
        {
            Subnet = IPNetwork.Parse("10.0.0.0/29"),
            Pool = [Conversation.Range("10.0.0.0", "10.0.0.7")],
            Exclusions = [Conversation.Range("10.0.0.3", "10.0.0.4")],
        });
        var given = Enumerable.Range(1, 4).Select(i => c.Lease($"52:54:00:00:00:0{i}")?.ToString());
        Assert.Equal(["10.0.0.2", "10.0.0.5", "10.0.0.6", null], given);
    }

    [Fact]
    public void Routes_are_written_as_RFC_3442_has_them()
    {
        var c = new Conversation(Conversation.Boot with
        {
            StaticRoutes =
            [
                new StaticRoute(IPNetwork.Parse("0.0.0.0/0"), IPAddress.Parse("10.0.0.1")),
                new StaticRoute(IPNetwork.Parse("10.17.0.0/17"), IPAddress.Parse("10.0.0.2")),
            ],
        });
        Assert.Equal([0, 10, 0, 0, 1, 17, 10, 17, 0, 10, 0, 0, 2], c.Discover().Reply!.Options.Find(OptionCode.ClasslessStaticRoute)!.Value.ToArray());
    }

    [Fact]
    public void The_router_is_among_the_routes_because_a_client_that_takes_them_ignores_option_3()
    {
        var c = new Conversation(Conversation.Boot with { StaticRoutes = [new StaticRoute(IPNetwork.Parse("10.17.0.0/17"), IPAddress.Parse("10.0.0.2"))] });
        Assert.Equal([17, 10, 17, 0, 10, 0, 0, 2, 0, 10, 0, 0, 1], c.Discover().Reply!.Options.Find(OptionCode.ClasslessStaticRoute)!.Value.ToArray());
    }

    [Fact]
    public void A_network_that_contradicts_itself_is_refused_with_a_sentence()
    {
        Assert.Equal("network boot: the pool 10.9.0.1-10.9.0.2 is not inside 10.0.0.0/24",
            Assert.Throws<ArgumentException>(() => new Conversation(Conversation.Boot with { Pool = [Conversation.Range("10.9.0.1", "10.9.0.2")] })).Message);
        var twice = new Reservation(IPAddress.Parse("10.0.0.9"));
        Assert.Equal("network boot: 10.0.0.9 is reserved twice",
            Assert.Throws<ArgumentException>(() => new Conversation(Conversation.Boot with { Reservations = [twice, twice] })).Message);
    }

    private static void Relayed(DhcpMessage message)
    {
        message.RelayAddress = message.RelayAddress.Equals(IPAddress.Any) ? RelayAddress : message.RelayAddress;
        message.Options.Set(OptionCode.RelayAgentInformation, RelayOption);
    }
}
