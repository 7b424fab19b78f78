using System.Net;
using Slipway.Dhcp.Clients;
using Slipway.Dhcp.Leases;
using Slipway.Dhcp.Wire;

namespace Slipway.Dhcp.Server;

/// <summary>The server that gives addresses (RFC 2131 §4.3). One object answers one message.</summary>
internal sealed class AddressService(Exchange exchange)
{
    /// <summary>How long an offer is held: the slowest PXE ROMs listen for offers for half a minute before they choose.</summary>
    private static readonly TimeSpan OfferTime = TimeSpan.FromMinutes(1);

    private readonly DhcpMessage _request = exchange.Request;
    private readonly DhcpClient _client = exchange.Client;
    private readonly LeaseTable _table = exchange.Table;
    private readonly DateTimeOffset _now = exchange.Now;
    private readonly ClientKey _key = ClientKey.Of(exchange.Network.Identity, exchange.Client.Hardware, exchange.Client.ClientId);

    public DhcpOutcome Answer()
    {
        if (_key == default)
            return exchange.Ignored("it has neither a hardware address nor a client identifier");
        return _request.Type switch
        {
            MessageType.Discover => Discover(),
            MessageType.Request => Request(),
            MessageType.Decline => Decline(),
            MessageType.Release => Release(),
            MessageType.Inform => Inform(),
            MessageType.None => exchange.Ignored("plain BOOTP"),
            _ => exchange.Ignored($"{_request.Type} is a server's message"),
        };
    }

    private DhcpOutcome Discover()
    {
        var address = _table.Choose(_key, _client, _request.Options.Address(OptionCode.RequestedAddress), _now);
        if (address is null)
            return exchange.Outcome(DhcpEventKind.Exhausted, who => $"no address left in {exchange.Network.Name} for {who}");

        // An address that the client holds, or was offered a moment ago, needs no probe: it may answer for itself.
        var holding = _table.Of(_key);
        var itsOwn = holding is not null && holding.Address.Equals(address);
        var current = itsOwn && holding!.End > _now;
        if (!(current && holding!.State == HoldingState.Bound))
            _table.Assign(_key, address, HoldingState.Offered, _now + OfferTime).Hardware = _client.Hardware;

        var reply = Fill(exchange.Reply(MessageType.Offer).Lend(address, exchange.Network.LeaseTime));
        return exchange.Outcome(DhcpEventKind.Offered, who => $"offered {address} to {who}{Booting(reply)}", address, reply.BootFile) with
        {
            Reply = reply.ToClient(),
            Probe = exchange.Network.DetectConflicts && !itsOwn ? address : null,
        };
    }

    // RFC 2131 §4.3.2: server identifier and requested address tell what state the client is in.
    private DhcpOutcome Request()
    {
        var server = _request.Options.Address(OptionCode.ServerIdentifier);
        var wish = _request.Options.Address(OptionCode.RequestedAddress);
        if (server is not null && !exchange.NamesThisServer(server))
            return ChoseAnother(server);
        var address = _request.ClientAddress.Equals(IPAddress.Any) ? wish : _request.ClientAddress;
        if (address is null)
            return exchange.Ignored("a request without an address");
        if (!exchange.Network.Subnet.Contains(address))
            return Refuse(address, $"{address} is not in {exchange.Network.Subnet}");
        if (!_table.MayHave(_key, _client, address, _now))
            return Refuse(address, _table.ReservationOf(_client) is { } r && !r.Address.Equals(address)
                ? $"{r.Address} is reserved for it, not {address}"
                : $"{address} is another client's, or not to be given");
        return Acknowledge(address);
    }

    private DhcpOutcome ChoseAnother(IPAddress server)
    {
        if (_table.Of(_key) is { State: HoldingState.Offered } offered)
            _table.End(offered, _now);
        return exchange.Outcome(DhcpEventKind.OtherServer, who => $"{who} took the offer of another DHCP server, {server}", server: server);
    }

    private DhcpOutcome Acknowledge(IPAddress address)
    {
        var end = _now + exchange.Network.LeaseTime;
        _table.Assign(_key, address, HoldingState.Bound, end).Hardware = _client.Hardware;
        var reply = Fill(exchange.Reply(MessageType.Ack).Lend(address, exchange.Network.LeaseTime).Inform(_request.ClientAddress));
        return exchange.Outcome(DhcpEventKind.Acknowledged, who => $"{who} has {address} for {exchange.Network.LeaseTime}{Booting(reply)}", address, reply.BootFile) with
        {
            Lease = LeaseOf(address, LeaseState.Bound, end),
            Reply = reply.ToClient(),
        };
    }

    private DhcpOutcome Refuse(IPAddress address, string why)
    {
        var reply = exchange.Reply(MessageType.Nak).Say(why);
        return exchange.Outcome(DhcpEventKind.Refused, who => $"{who} may not have {address}: {why}", address) with { Reply = reply.ToClient() };
    }

    private DhcpOutcome Decline()
    {
        if (_request.Options.Address(OptionCode.ServerIdentifier) is { } server && !exchange.NamesThisServer(server))
            return exchange.Ignored($"it declines an address of {server}");
        var address = _request.Options.Address(OptionCode.RequestedAddress);
        if (address is null || _table.Of(_key) is not { } holding || !holding.Address.Equals(address))
            return exchange.Ignored($"it declines {address?.ToString() ?? "nothing"}, which it was not given");
        var until = _now + exchange.Network.Quarantine;
        _table.Quarantine(address, until);
        return exchange.Outcome(DhcpEventKind.Declined, who => $"{who} says that another machine uses {address}: not given for {exchange.Network.Quarantine}", address) with
        {
            Lease = LeaseOf(address, LeaseState.Declined, until),
        };
    }

    private DhcpOutcome Release()
    {
        var address = _request.ClientAddress;
        if (_request.Options.Address(OptionCode.ServerIdentifier) is { } server && !exchange.NamesThisServer(server))
            return exchange.Ignored($"it releases an address of {server}");
        if (_table.Of(_key) is not { State: HoldingState.Bound } holding || !holding.Address.Equals(address))
            return exchange.Ignored($"it releases {address}, which it does not have");
        _table.End(holding, _now);
        return exchange.Outcome(DhcpEventKind.Released, who => $"{who} gave {address} back", address) with
        {
            Lease = LeaseOf(address, LeaseState.Released, _now),
        };
    }

    // RFC 2131 §4.3.5: parameters, but neither an address nor lease times.
    private DhcpOutcome Inform()
    {
        var address = _request.ClientAddress.Equals(IPAddress.Any) ? exchange.Arrival.Source : _request.ClientAddress;
        var reply = Fill(exchange.Reply(MessageType.Ack).Inform(_request.ClientAddress));
        return exchange.Outcome(DhcpEventKind.Informed, who => $"{who} at {address} informed{Booting(reply)}", address, reply.BootFile) with { Reply = reply.ToClient() };
    }

    private ReplyBuilder Fill(ReplyBuilder reply) =>
        reply.Boot(exchange.Directions()).Configure(_table.ReservationOf(_client)?.HostName);

    private string Booting(ReplyBuilder reply) =>
        reply.BootFile is { } file ? $", boots {file}"
        : _client.Kind == ClientKind.Host ? ""
        : ", no boot file for it";

    private Lease LeaseOf(IPAddress address, LeaseState state, DateTimeOffset end) =>
        new(address, exchange.Network.Name, _client.Hardware, state, _now, end)
        {
            // The packet's buffer must not live as long as its lease.
            ClientId = _client.ClientId.ToArray(),
            HostName = _client.HostName,
            Uuid = _client.Uuid,
        };
}
