using System.Net;
using Slipway.Dhcp.Leases;
using Slipway.Dhcp.Networks;
using Slipway.Dhcp.Server;
using Slipway.Dhcp.V6.Wire;
using Slipway.Dhcp.Wire;
using Type = Slipway.Dhcp.V6.Wire.Dhcp6MessageType;

namespace Slipway.Dhcp.Tests.V6;

public sealed class Dhcp6ServerTests
{
    private static readonly IPAddress First = IPAddress.Parse("fd00:77::100"), Second = IPAddress.Parse("fd00:77::101"), Foreign = IPAddress.Parse("fd00:99::5");
    private readonly Conversation6 _c = new();

    [Fact]
    public void A_client_gets_an_address_in_four_messages()
    {
        var offer = _c.Send(Type.Solicit, o => Conversation6.Ask(o, 7));
        Assert.Equal((Type.Advertise, DhcpEventKind.Offered), (offer.Reply!.Type, offer.Kind));
        Assert.Equal([First], offer.Addresses);
        Assert.Empty(_c.Leases);

        var reply = _c.Send(Type.Request, o => Conversation6.Ask(o, 7, null, First), toServer: true);
        Assert.Equal((Type.Reply, DhcpEventKind.Acknowledged, 0x010203u), (reply.Reply!.Type, reply.Kind, reply.Reply.Transaction));
        Assert.Equal([First], reply.Addresses);
        var lease = Assert.Single(_c.Leases);
        Assert.Equal((First, LeaseState.Bound, HardwareAddress.Parse("52:54:00:00:00:01")), (lease.Address, lease.State, lease.Hardware));
        Assert.Equal(lease.Hardware, _c.Server.HolderOf(First));
    }

    [Fact]
    public void Who_asks_for_a_lease_at_once_gets_it()
    {
        var reply = _c.Send(Type.Solicit, o =>
        {
            o.Add(Dhcp6OptionCode.RapidCommit, ReadOnlyMemory<byte>.Empty);
            Conversation6.Ask(o, 1);
        });
        Assert.Equal(Type.Reply, reply.Reply!.Type);
        Assert.True(reply.Reply.Options.Has(Dhcp6OptionCode.RapidCommit));
        Assert.Single(_c.Leases);
    }

    [Theory]
    [InlineData(Type.Renew, true)]
    [InlineData(Type.Rebind, false)]
    public void A_lease_is_extended(Type type, bool toServer)
    {
        _c.Lease();
        _c.Clock.Advance(TimeSpan.FromSeconds(900));
        Assert.Equal([First], _c.Send(type, o => Conversation6.Ask(o, 1, null, First), toServer: toServer).Addresses);
        _c.Clock.Advance(TimeSpan.FromSeconds(900));
        Assert.NotNull(_c.Server.HolderOf(First));
    }

    [Theory]
    [InlineData(Type.Renew, true)]
    [InlineData(Type.Rebind, false)]
    public void Another_ones_address_is_told_to_be_over(Type type, bool toServer)
    {
        _c.Lease();
        var reply = _c.Send(type, o => Conversation6.Ask(o, 1, null, First), duid: Conversation6.System, toServer: toServer, source: IPAddress.Parse("fe80::2"));
        Assert.Equal(DhcpEventKind.Refused, reply.Kind);
        Assert.Empty(reply.Addresses);
        Assert.NotNull(reply.Reply);
    }

    [Fact]
    public void A_lease_that_the_server_forgot_goes_on_where_nobody_has_it()
    {
        var reply = _c.Send(Type.Rebind, o => Conversation6.Ask(o, 1, null, Second));
        Assert.Equal([Second], reply.Addresses);
    }

    [Theory]
    [InlineData("fd00:77::100", Dhcp6StatusCode.Success)]
    [InlineData("fd00:99::5", Dhcp6StatusCode.NotOnLink)]
    public void A_client_that_was_moved_is_told(string address, Dhcp6StatusCode status) =>
        Assert.Equal(status, _c.Send(Type.Confirm, o => Conversation6.Ask(o, 1, null, IPAddress.Parse(address))).Status);

    [Fact]
    public void Firmware_iPXE_and_the_system_of_a_machine_share_an_address()
    {
        Assert.Equal(First, _c.Lease(with: Conversation6.Pxe));
        Assert.Equal(First, _c.Lease(association: 0x2000, with: Conversation6.Ipxe));
        Assert.Equal(First, _c.Lease(Conversation6.System, association: 3));
        Assert.Equal(Second, _c.Lease(Conversation6.System, source: IPAddress.Parse("fe80::5054:ff:fe00:2")));
    }

    [Fact]
    public void Each_name_in_a_message_gets_an_address_of_its_own()
    {
        var reply = _c.Send(Type.Solicit, o =>
        {
            Conversation6.Ask(o, 1);
            Conversation6.Ask(o, 2);
        });
        Assert.Equal([First, Second], reply.Addresses);
    }

    [Fact]
    public void A_pool_runs_out_and_ended_leases_are_given_again()
    {
        for (byte i = 0; i < 3; i++)
        {
            Assert.NotNull(_c.Lease([0, 2, 0, 0, 0, 9, i], source: IPAddress.Parse($"fe80::{i + 2}")));
            _c.Clock.Advance(TimeSpan.FromSeconds(1));
        }
        var refused = _c.Send(Type.Solicit, o => Conversation6.Ask(o, 1));
        Assert.Equal((DhcpEventKind.Exhausted, Dhcp6StatusCode.NoAddressesAvailable), (refused.Kind, refused.Status!.Value));
        _c.Clock.Advance(TimeSpan.FromSeconds(1001));
        Assert.Equal(First, _c.Lease());
    }

    [Fact]
    public void An_address_that_is_given_back_is_its_clients_until_another_needs_it()
    {
        _c.Lease();
        var reply = _c.Send(Type.Release, o => Conversation6.Ask(o, 1, null, First), toServer: true);
        Assert.Equal((DhcpEventKind.Released, Dhcp6StatusCode.Success), (reply.Kind, reply.Status!.Value));
        Assert.Equal(LeaseState.Released, _c.Leases[^1].State);
        Assert.Null(_c.Server.HolderOf(First));
        Assert.Equal(First, _c.Lease());
    }

    [Fact]
    public void An_address_that_somebody_else_uses_is_not_given_for_an_hour()
    {
        _c.Lease();
        Assert.Equal(DhcpEventKind.Declined, _c.Send(Type.Decline, o => Conversation6.Ask(o, 1, null, First), toServer: true).Kind);
        Assert.Equal(Second, _c.Lease());
        _c.Clock.Advance(TimeSpan.FromMinutes(61));
        Assert.Equal(First, _c.Send(Type.Solicit, o => Conversation6.Ask(o, 1, null, First), duid: Conversation6.System, source: IPAddress.Parse("fe80::9")).Addresses[0]);
    }

    [Theory]
    [InlineData("firmware", "tftp://[fd00:77::1]/X64Uefi.efi")]
    [InlineData("http", "http://[fd00:77::1]/X64Uefi.efi")]
    [InlineData("ipxe", "https://[fd00:77::1]/boot/52:54:00:00:00:01")]
    [InlineData("system", null)]
    public void Each_stage_is_told_what_to_boot(string stage, string? url)
    {
        var with = stage switch { "firmware" => Conversation6.Pxe, "http" => Conversation6.Http, "ipxe" => Conversation6.Ipxe, _ => (Action<Dhcp6Options>?)null };
        var offer = _c.Send(Type.Solicit, o => Conversation6.Ask(o, 1, with));
        Assert.Equal(url, offer.Url);
        Assert.Equal(stage == "http" ? "HTTPClient" : null, offer.Reply!.Options.ClassText(Dhcp6OptionCode.VendorClass));
        Assert.Equal(stage == "firmware", offer.Reply.Options.Has(Dhcp6OptionCode.DnsServers));
    }

    [Fact]
    public void Beside_another_server_only_what_to_boot_is_told()
    {
        var c = new Conversation6(Conversation6.Boot with { Mode = NetworkMode.Proxy });
        Assert.Null(c.Send(Type.Solicit, o => Conversation6.Ask(o, 1, Conversation6.Pxe)).Reply);
        Assert.Equal("tftp://[fd00:77::1]/X64Uefi.efi", c.Send(Type.InformationRequest, Conversation6.Pxe, duid: []).Url);
    }

    [Fact]
    public void A_reservation_is_its_machines_and_nobody_elses()
    {
        var reserved = IPAddress.Parse("fd00:77::100");
        var c = new Conversation6(Conversation6.Boot with { Reservations = new Dictionary<HardwareAddress, IPAddress> { [HardwareAddress.Parse("52:54:00:00:00:01")] = reserved } });
        Assert.Equal(Second, c.Lease(Conversation6.System, source: IPAddress.Parse("fe80::2")));
        Assert.Equal(reserved, c.Lease());
    }

    [Fact]
    public void What_was_kept_is_known_after_a_restart()
    {
        _c.Lease();
        var again = new Conversation6();
        again.Server.Restore(_c.Leases);
        Assert.Equal(Second, again.Lease(Conversation6.System, source: IPAddress.Parse("fe80::2")));
        Assert.Equal([First], again.Send(Type.Renew, o => Conversation6.Ask(o, 1, null, First), toServer: true).Addresses);
    }

    [Fact]
    public void Through_two_relays_the_answer_goes_back_as_it_came()
    {
        var c = new Conversation6(Conversation6.Boot, Conversation6.Boot with
        {
            Name = "far",
            Interface = null,
            Subnet = IPNetwork.Parse("fd00:78::/64"),
            Pool = (IPAddress.Parse("fd00:78::100"), IPAddress.Parse("fd00:78::1ff")),
        });
        var message = new Dhcp6Message(Type.Solicit, 5);
        message.Options.Add(Dhcp6OptionCode.ClientIdentifier, Conversation6.System);
        Conversation6.Ask(message.Options, 1);
        var near = Forward(message.ToArray(), 0, IPAddress.Parse("fd00:78::1"), IPAddress.Parse("fe80::5054:ff:fe00:1"), "eth7"u8.ToArray(), [0, 1, 0x52, 0x54, 0, 0, 0, 9]);
        var offer = c.Send(Forward(near, 1, IPAddress.IPv6Any, IPAddress.Parse("fe80::1"), null, null), IPAddress.Parse("fd00:77::fe"));
        Assert.Equal([IPAddress.Parse("fd00:78::100")], offer.Addresses);
        Assert.Equal(HardwareAddress.Parse("52:54:00:00:00:09"), offer.Outcome.Event.Client!.Hardware);
        Assert.Equal([1, 0], offer.Relays.Select(r => r[1]));
        Assert.True(Dhcp6Options.TryRead(offer.Relays[1].AsMemory(34), out var options));
        Assert.Equal("eth7"u8.ToArray(), options.Find(Dhcp6OptionCode.InterfaceId)!.Value.ToArray());
    }

    [Theory]
    [InlineData(Type.Request, false, "it names no server")]
    [InlineData(Type.Solicit, true, "it names a server")]
    [InlineData(Type.Reply, false, "Reply is a server's message")]
    [InlineData(Type.Confirm, false, "it asks about no address")]
    public void What_is_against_the_rules_is_not_answered(Type type, bool toServer, string why)
    {
        var answer = _c.Send(type, toServer: toServer);
        Assert.Equal(DhcpEventKind.Ignored, answer.Kind);
        Assert.EndsWith(why, answer.Outcome.Event.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_servers_client_is_left_to_it()
    {
        var answer = _c.Send(Type.Request, o => o.Add(Dhcp6OptionCode.ServerIdentifier, new byte[] { 0, 3, 0, 1, 9, 9, 9, 9, 9, 9 }));
        Assert.Equal((DhcpEventKind.OtherServer, null), (answer.Kind, answer.Reply));
    }

    [Fact]
    public void A_wish_for_an_address_of_another_link_is_passed_over() =>
        Assert.Equal([First], _c.Send(Type.Solicit, o => Conversation6.Ask(o, 1, null, Foreign)).Addresses);

    internal static byte[] Forward(byte[] message, byte hops, IPAddress link, IPAddress peer, byte[]? interfaceId, byte[]? hardware)
    {
        var options = new Dhcp6Options();
        if (interfaceId is not null)
            options.Add(Dhcp6OptionCode.InterfaceId, interfaceId);
        if (hardware is not null)
            options.Add(Dhcp6OptionCode.ClientLinkLayerAddress, hardware);
        options.Add(Dhcp6OptionCode.RelayMessage, message);
        return [(byte)Type.RelayForward, hops, .. link.GetAddressBytes(), .. peer.GetAddressBytes(), .. options.ToArray()];
    }
}
