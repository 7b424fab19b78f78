using System.Net;
using Slipway.Dhcp.Leases;
using Slipway.Dhcp.Networks;
using Slipway.Dhcp.Server;
using Slipway.Dhcp.Wire;

namespace Slipway.Dhcp.Tests.Server;

/// <summary>RFC 2131 §4.3, message by message.</summary>
public class AddressTests
{
    private static readonly IPAddress First = IPAddress.Parse("10.0.0.10");
    private readonly Conversation _c = new();

    [Fact]
    public void Discover_is_answered_with_an_offer_that_says_everything()
    {
        var offer = _c.Discover();
        Assert.Equal(MessageType.Offer, offer.Reply!.Type);
        Assert.Equal(First, offer.Reply.YourAddress);
        Assert.Equal(0x01020304u, offer.Reply.Xid);
        Assert.Equal(IPAddress.Parse("10.0.0.1"), offer.Reply.Options.Address(OptionCode.ServerIdentifier));
        Assert.Equal(IPAddress.Parse("255.255.255.0"), offer.Reply.Options.Address(OptionCode.SubnetMask));
        Assert.Equal(IPAddress.Parse("10.0.0.255"), offer.Reply.Options.Address(OptionCode.BroadcastAddress));
        Assert.Equal(43200u, offer.Reply.Options.UInt32(OptionCode.LeaseTime));
        Assert.Equal(21600u, offer.Reply.Options.UInt32(OptionCode.RenewalTime));
        Assert.Equal(37800u, offer.Reply.Options.UInt32(OptionCode.RebindingTime));
        Assert.Null(offer.Outcome.Lease);
        Assert.Equal(First, offer.Outcome.Probe);
    }

    [Fact]
    public void A_request_for_the_offer_is_acknowledged_once_its_lease_is_kept()
    {
        var ack = _c.Select(_c.Discover().Reply!.YourAddress);
        Assert.Equal(MessageType.Ack, ack.Reply!.Type);
        Assert.Equal((First, LeaseState.Bound, "boot"), (ack.Outcome.Lease!.Address, ack.Outcome.Lease.State, ack.Outcome.Lease.Network));
        Assert.Equal(HardwareAddress.Parse(Conversation.Mac), _c.Server.HolderOf(First));
    }

    [Fact]
    public void A_client_that_asks_again_gets_the_same_address()
    {
        var address = _c.Lease();
        Assert.Equal(address, _c.Lease());
        Assert.Null(_c.Discover().Outcome.Probe);
    }

    [Fact]
    public void Clients_are_one_whatever_identifier_their_stage_of_the_boot_sends()
    {
        var firmware = _c.Lease();
        var ipxe = _c.Lease(with: m => m.Options.Set(OptionCode.ClientIdentifier, new byte[] { 1, 0x52, 0x54, 0, 0, 0, 1 }));
        var linux = _c.Lease(with: m => m.Options.Set(OptionCode.ClientIdentifier, new byte[] { 255, 1, 2, 3, 4, 0, 2, 0, 0 }));
        Assert.Equal([First, First], [ipxe, linux]);
        Assert.Equal(First, firmware);
    }

    [Fact]
    public void Clients_are_told_apart_by_identifier_where_the_network_says_so()
    {
        var c = new Conversation(Conversation.Boot with { Identity = ClientIdentity.ClientIdentifier });
        var one = c.Lease(with: m => m.Options.Set(OptionCode.ClientIdentifier, new byte[] { 0, 1 }));
        var two = c.Lease(with: m => m.Options.Set(OptionCode.ClientIdentifier, new byte[] { 0, 2 }));
        Assert.NotEqual(one, two);
        // Type and hardware address is no other client than the one without an identifier.
        Assert.Equal(c.Lease(), c.Lease(with: m => m.Options.Set(OptionCode.ClientIdentifier, new byte[] { 1, 0x52, 0x54, 0, 0, 0, 1 })));
    }

    [Fact]
    public void The_identifier_comes_back()
    {
        var offer = _c.Discover(with: m => m.Options.Set(OptionCode.ClientIdentifier, new byte[] { 0, 9, 9 }));
        Assert.Equal([0, 9, 9], offer.Reply!.Options.Find(OptionCode.ClientIdentifier)!.Value.ToArray());
    }

    [Fact]
    public void A_request_for_somebody_elses_address_is_refused()
    {
        _c.Lease();
        var nak = _c.Reboot("10.0.0.10", "52:54:00:00:00:02");
        Assert.Equal(MessageType.Nak, nak.Reply!.Type);
        Assert.Equal(IPAddress.Broadcast, nak.Outcome.Reply!.Address);
        Assert.Null(nak.Outcome.Lease);
    }

    [Fact]
    public void A_request_from_another_network_is_refused() =>
        Assert.Equal(MessageType.Nak, _c.Reboot("192.168.1.7").Reply!.Type);

    [Fact]
    public void A_rebooting_client_whose_address_is_free_may_keep_it() =>
        Assert.Equal(MessageType.Ack, _c.Reboot("10.0.0.11").Reply!.Type);

    [Fact]
    public void A_renewal_is_answered_to_the_client_itself()
    {
        _c.Lease();
        _c.Clock.Advance(TimeSpan.FromHours(6));
        var ack = _c.Renew("10.0.0.10");
        Assert.Equal((MessageType.Ack, First), (ack.Reply!.Type, ack.Outcome.Reply!.Address));
        Assert.Null(ack.Outcome.Reply.Link);
        Assert.Equal(_c.Clock.GetUtcNow().AddHours(12), ack.Outcome.Lease!.End);
    }

    [Fact]
    public void Answers_go_to_the_hardware_address_or_by_broadcast_as_the_client_asks()
    {
        var unicast = _c.Discover().Outcome.Reply!;
        Assert.Equal((First, 68), (unicast.Address, unicast.Port));
        Assert.Equal(HardwareAddress.Parse(Conversation.Mac), unicast.Link);
        var broadcast = _c.Discover(with: m => m.Broadcast = true).Outcome.Reply!;
        Assert.Equal((IPAddress.Broadcast, null), (broadcast.Address, broadcast.Link));
    }

    [Fact]
    public void A_declined_address_is_given_to_nobody_for_a_while()
    {
        _c.Lease();
        var decline = _c.Send(MessageType.Decline, with: m =>
        {
            m.Options.Set(OptionCode.ServerIdentifier, IPAddress.Parse("10.0.0.1"));
            m.Options.Set(OptionCode.RequestedAddress, First);
        });
        Assert.Equal((DhcpEventKind.Declined, LeaseState.Declined), (decline.Kind, decline.Outcome.Lease!.State));
        Assert.Null(decline.Reply);
        Assert.Equal(IPAddress.Parse("10.0.0.11"), _c.Lease());
        Assert.Equal(IPAddress.Parse("10.0.0.12"), _c.Lease("52:54:00:00:00:02"));
        Assert.Null(_c.Lease("52:54:00:00:00:03"));
        _c.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(First, _c.Lease("52:54:00:00:00:03"));
    }

    [Fact]
    public void Nobody_can_decline_or_release_for_another()
    {
        _c.Lease();
        const string Other = "52:54:00:00:00:02";
        Assert.Equal(DhcpEventKind.Ignored, _c.Send(MessageType.Decline, Other, m => m.Options.Set(OptionCode.RequestedAddress, First)).Kind);
        Assert.Equal(DhcpEventKind.Ignored, _c.Send(MessageType.Release, Other, m => m.ClientAddress = First).Kind);
        Assert.NotNull(_c.Server.HolderOf(First));
    }

    [Fact]
    public void A_released_address_goes_to_the_same_client_while_others_are_free()
    {
        _c.Lease();
        Assert.Equal(LeaseState.Released, _c.Send(MessageType.Release, with: m => m.ClientAddress = First).Outcome.Lease!.State);
        Assert.Null(_c.Server.HolderOf(First));
        Assert.Equal(IPAddress.Parse("10.0.0.11"), _c.Lease("52:54:00:00:00:02"));
        Assert.Equal(First, _c.Lease());
    }

    [Fact]
    public void When_the_pool_is_used_up_the_address_whose_lease_ended_first_is_given()
    {
        for (var i = 1; i <= 3; i++)
        {
            _c.Lease($"52:54:00:00:00:0{i}");
            _c.Clock.Advance(TimeSpan.FromMinutes(1));
        }
        Assert.Equal(DhcpEventKind.Exhausted, _c.Discover("52:54:00:00:00:04").Kind);
        _c.Renew("10.0.0.10", "52:54:00:00:00:01");
        _c.Clock.Advance(TimeSpan.FromHours(12) - TimeSpan.FromMinutes(1.5));
        Assert.Equal(IPAddress.Parse("10.0.0.11"), _c.Lease("52:54:00:00:00:04"));
    }

    [Fact]
    public void A_client_that_takes_another_servers_offer_is_reported_and_its_address_is_free_again()
    {
        _c.Discover();
        var other = _c.Select(IPAddress.Parse("10.0.0.77"), server: "10.0.0.2");
        Assert.Equal((DhcpEventKind.OtherServer, IPAddress.Parse("10.0.0.2")), (other.Kind, other.Outcome.Event.Server));
        Assert.Null(other.Reply);
    }

    [Fact]
    public void Inform_is_answered_without_address_and_lease()
    {
        var ack = _c.Send(MessageType.Inform, with: m => m.ClientAddress = IPAddress.Parse("10.0.0.200"));
        Assert.Equal(MessageType.Ack, ack.Reply!.Type);
        Assert.Equal(IPAddress.Any, ack.Reply.YourAddress);
        Assert.False(ack.Reply.Options.Has(OptionCode.LeaseTime));
        Assert.Null(ack.Outcome.Lease);
        Assert.Equal(IPAddress.Parse("10.0.0.200"), ack.Outcome.Reply!.Address);
    }

    [Fact]
    public void An_address_that_answers_the_probe_is_not_offered()
    {
        Assert.Equal(First, _c.Discover().Outcome.Probe);
        Assert.Equal(DhcpEventKind.Conflict, _c.Server.ReportConflict(First).Kind);
        Assert.Equal(IPAddress.Parse("10.0.0.11"), _c.Discover().Reply!.YourAddress);
    }

    [Fact]
    public void A_restart_keeps_leases_and_quarantines()
    {
        var mine = _c.Lease();
        _c.Lease("52:54:00:00:00:02");
        _c.Send(MessageType.Decline, "52:54:00:00:00:02", m => m.Options.Set(OptionCode.RequestedAddress, IPAddress.Parse("10.0.0.11")));
        var after = new Conversation();
        after.Server.Restore(_c.Leases.GroupBy(l => l.Address).Select(g => g.Last()));
        Assert.Equal(IPAddress.Parse("10.0.0.12"), after.Lease("52:54:00:00:00:03"));
        Assert.Null(after.Lease("52:54:00:00:00:04"));
        Assert.Equal(mine, after.Lease());
    }

    [Fact]
    public void A_network_that_is_configured_anew_keeps_its_leases()
    {
        var mine = _c.Lease();
        _c.Server.Configure([Conversation.Boot with { LeaseTime = TimeSpan.FromMinutes(5) }]);
        Assert.Equal(HardwareAddress.Parse(Conversation.Mac), _c.Server.HolderOf(mine!));
        Assert.Equal(300u, _c.Renew("10.0.0.10").Reply!.Options.UInt32(OptionCode.LeaseTime));
    }
}
