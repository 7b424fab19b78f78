using System.Net;
using Slipway.Dhcp.Clients;
using Slipway.Dhcp.Leases;
using Slipway.Dhcp.Networks;
using Slipway.Dhcp.Server;
using Slipway.Dhcp.V6.Leases;
using Slipway.Dhcp.V6.Wire;

namespace Slipway.Dhcp.V6.Server;

/// <summary>The answer to one message (RFC 8415 §18.3).</summary>
internal sealed class Exchange6(Dhcp6Message request, DhcpClient client, BindingTable table, IBootUrls urls, byte[] server, DateTimeOffset now)
{
    /// <summary>How long an advertised address is held.</summary>
    private static readonly TimeSpan OfferTime = TimeSpan.FromMinutes(1);

    /// <summary>More addresses than this for one machine in one message are somebody's attempt to use the pool up.</summary>
    private const int MaxAssociations = 8;

    private static readonly byte[] HttpClient = [0, 0, 1, 0x57, 0, 10, .. "HTTPClient"u8];

    private readonly Dhcp6Network _network = table.Network;
    private readonly ReadOnlyMemory<byte> _duid = request.Options.Find(Dhcp6OptionCode.ClientIdentifier) ?? default;
    private readonly List<Lease> _leases = [];
    private readonly List<string> _said = [];
    private IPAddress? _address;
    private string? _bootFile;

    public (Dhcp6Outcome Outcome, Dhcp6Message? Reply) Answer()
    {
        var named = request.Options.Find(Dhcp6OptionCode.ServerIdentifier);
        if (request.Type == Dhcp6MessageType.InformationRequest)
            return named is { } asked && !asked.Span.SequenceEqual(server) ? Ignored("it asks another server") : Inform();
        // §16.2 to §16.9: whoever wants an address says who it is.
        if (_duid.IsEmpty || _duid.Length > Duid.MaxLength)
            return Ignored("it does not say who it is");
        if (_network.Mode != NetworkMode.Authoritative)
            return Ignored($"another server gives the addresses of {_network.Name}");
        var forOneServer = request.Type is Dhcp6MessageType.Request or Dhcp6MessageType.Renew or Dhcp6MessageType.Release or Dhcp6MessageType.Decline;
        if (forOneServer != named is not null)
            return Ignored(forOneServer ? "it names no server" : "it names a server");
        if (named is { } other && !other.Span.SequenceEqual(server))
            return Elsewhere();
        return request.Type switch
        {
            Dhcp6MessageType.Solicit => Solicit(),
            Dhcp6MessageType.Request => Lend(Begin(Dhcp6MessageType.Reply), extends: false),
            Dhcp6MessageType.Renew or Dhcp6MessageType.Rebind => Lend(Begin(Dhcp6MessageType.Reply), extends: true),
            Dhcp6MessageType.Confirm => Confirm(),
            Dhcp6MessageType.Release => GiveBack(LeaseState.Released),
            Dhcp6MessageType.Decline => GiveBack(LeaseState.Declined),
            _ => Ignored($"{request.Type} is a server's message"),
        };
    }

    // §18.3.1. Who asks for a lease at once gets it: there is no other server to choose, or it is a mistake to have two.
    private (Dhcp6Outcome, Dhcp6Message?) Solicit()
    {
        if (request.Options.Has(Dhcp6OptionCode.RapidCommit))
        {
            var reply = Begin(Dhcp6MessageType.Reply);
            reply.Options.Add(Dhcp6OptionCode.RapidCommit, ReadOnlyMemory<byte>.Empty);
            return Lend(reply, extends: false);
        }
        var advertise = Begin(Dhcp6MessageType.Advertise);
        foreach (var (association, key, others) in Associations())
        {
            if (Choose(association, key, others) is not { } address)
            {
                AddNone(advertise, association);
                continue;
            }
            var last = table.Of(key, client.Hardware, others);
            if (last is not { State: BindingState.Bound } || last.End <= now || !last.Address.Equals(address))
                table.Assign(key, client.Hardware, last, address, BindingState.Offered, now + OfferTime);
            AddAddress(advertise, association.Id, address);
        }
        Configure(advertise);
        return Done(advertise, _address is null ? DhcpEventKind.Exhausted : DhcpEventKind.Offered,
            who => _address is null ? $"no address for {who} in {_network.Name}" : $"offered {_address} to {who}");
    }

    // §18.3.2, §18.3.4, §18.3.5: a client that has an address of this link and lost its binding here, or we ours, gets it again
    // where it is free; another that it names is told to be over.
    private (Dhcp6Outcome, Dhcp6Message?) Lend(Dhcp6Message reply, bool extends)
    {
        foreach (var (association, key, others) in Associations())
        {
            if (Choose(association, key, others) is not { } address)
            {
                AddNone(reply, association);
                continue;
            }
            if (extends && association.Addresses.Count > 0 && !association.Addresses.Contains(address))
            {
                // The client comes back with a Request for what this server has for it.
                reply.Options.Add(Dhcp6OptionCode.NonTemporaryAddresses, IdentityAssociation.WriteEnded(association.Id, association.Addresses));
                _said.Add($"{string.Join(", ", association.Addresses)} is not its any more");
                continue;
            }
            var end = now + _network.LeaseTime;
            table.Assign(key, client.Hardware, table.Of(key, client.Hardware, others), address, BindingState.Bound, end);
            _leases.Add(LeaseOf(association.Id, address, LeaseState.Bound, end));
            AddAddress(reply, association.Id, address);
        }
        Configure(reply);
        return _address is null
            ? Done(reply, DhcpEventKind.Refused, who => $"{who} has no address in {_network.Name}: {string.Join("; ", _said)}")
            : Done(reply, DhcpEventKind.Acknowledged, who => $"{who} has {_address} for {_network.LeaseTime}");
    }

    // §18.3.3: only whether the addresses are of this link.
    private (Dhcp6Outcome, Dhcp6Message?) Confirm()
    {
        var addresses = Associations().SelectMany(a => a.Association.Addresses).ToList();
        if (addresses.Count == 0)
            return Ignored("it asks about no address");
        var reply = Begin(Dhcp6MessageType.Reply);
        if (addresses.TrueForAll(_network.Subnet.Contains))
        {
            reply.Options.AddStatus(Dhcp6StatusCode.Success, "on this link");
            return Done(reply, DhcpEventKind.Informed, who => $"{who} is still where {string.Join(", ", addresses)} belongs");
        }
        reply.Options.AddStatus(Dhcp6StatusCode.NotOnLink, $"not in {_network.Subnet}");
        return Done(reply, DhcpEventKind.Refused, who => $"{who} comes with {string.Join(", ", addresses)}, which is not in {_network.Subnet}");
    }

    // §18.3.7, §18.3.8.
    private (Dhcp6Outcome, Dhcp6Message?) GiveBack(LeaseState state)
    {
        var reply = Begin(Dhcp6MessageType.Reply);
        reply.Options.AddStatus(Dhcp6StatusCode.Success, "");
        foreach (var (association, key, _) in Associations())
        {
            // By this name only: a machine's firmware does not give back what its system has.
            if (table.Of(key, default, []) is not { State: BindingState.Bound or BindingState.Offered } binding || !association.Addresses.Contains(binding.Address))
            {
                reply.Options.Add(Dhcp6OptionCode.NonTemporaryAddresses, IdentityAssociation.WriteStatus(association.Id, Dhcp6StatusCode.NoBinding, "not its address"));
                continue;
            }
            _address = binding.Address;
            var end = state == LeaseState.Declined ? now + _network.Quarantine : now;
            if (state == LeaseState.Declined)
                table.Quarantine(binding.Address, end);
            else
                table.End(binding, now);
            _leases.Add(LeaseOf(association.Id, _address, state, end));
        }
        return (state, _address) switch
        {
            // Nothing is wrong: edk2 has two clients, and the second's address was the first's.
            (_, null) => Done(reply, DhcpEventKind.Informed, who => $"{who} gives back what it does not have any more"),
            (LeaseState.Declined, _) => Done(reply, DhcpEventKind.Declined, who => $"{who} says that another machine uses {_address}: not given for {_network.Quarantine}"),
            _ => Done(reply, DhcpEventKind.Released, who => $"{who} gave {_address} back"),
        };
    }

    // §18.3.6.
    private (Dhcp6Outcome, Dhcp6Message?) Inform()
    {
        var reply = Begin(Dhcp6MessageType.Reply);
        Configure(reply);
        return Done(reply, DhcpEventKind.Informed, who => $"{who} informed");
    }

    private (Dhcp6Outcome, Dhcp6Message?) Elsewhere() => (new Dhcp6Outcome(Event(DhcpEventKind.OtherServer, who => $"{who} took the offer of another DHCPv6 server")), null);

    private (Dhcp6Outcome, Dhcp6Message?) Ignored(string why) => (new Dhcp6Outcome(Event(DhcpEventKind.Ignored, who => $"{request.Type} of {who} not answered: {why}")), null);

    private IPAddress? Choose(IdentityAssociation association, BindingKey key, IReadOnlyCollection<uint> others) =>
        table.Choose(key, client.Hardware, others, association.Addresses.Where(_network.Subnet.Contains), now);

    private IEnumerable<(IdentityAssociation Association, BindingKey Key, IReadOnlyCollection<uint> Others)> Associations()
    {
        var all = new List<IdentityAssociation>();
        foreach (var (code, value) in request.Options.All)
        {
            if (all.Count < MaxAssociations && code == Dhcp6OptionCode.NonTemporaryAddresses && IdentityAssociation.TryRead(value, out var association) && all.TrueForAll(a => a.Id != association.Id))
                all.Add(association);
        }
        var (duid, ids) = (Convert.ToHexString(_duid.Span), all.Select(a => a.Id).ToHashSet());
        return all.Select(a => (a, new BindingKey(duid, a.Id), (IReadOnlyCollection<uint>)ids));
    }

    private Dhcp6Message Begin(Dhcp6MessageType type)
    {
        var reply = new Dhcp6Message(type, request.Transaction);
        if (!_duid.IsEmpty)
            reply.Options.Add(Dhcp6OptionCode.ClientIdentifier, _duid);
        reply.Options.Add(Dhcp6OptionCode.ServerIdentifier, server);
        return reply;
    }

    private void AddAddress(Dhcp6Message reply, uint association, IPAddress address)
    {
        _address ??= address;
        reply.Options.Add(Dhcp6OptionCode.NonTemporaryAddresses, IdentityAssociation.Write(association, address, _network.LeaseTime));
    }

    private void AddNone(Dhcp6Message reply, IdentityAssociation association)
    {
        _said.Add("no address left");
        reply.Options.Add(Dhcp6OptionCode.NonTemporaryAddresses,
            IdentityAssociation.WriteStatus(association.Id, Dhcp6StatusCode.NoAddressesAvailable, $"no address left in {_network.Name}"));
    }

    private void Configure(Dhcp6Message reply)
    {
        if (_network.DnsServers.Count > 0 && request.Options.Requests(Dhcp6OptionCode.DnsServers))
            reply.Options.Add(Dhcp6OptionCode.DnsServers, _network.DnsServers);
        if (_network.DomainName is { } domain && request.Options.Requests(Dhcp6OptionCode.DomainList))
            reply.Options.AddDomain(Dhcp6OptionCode.DomainList, domain);
        if (client.Kind != ClientKind.Host && urls.UrlFor(client, _network) is { } url)
        {
            _bootFile = url;
            reply.Options.Add(Dhcp6OptionCode.BootFileUrl, System.Text.Encoding.UTF8.GetBytes(url));
            // UEFI 2.10 §24.7.3.2: without it the answer is not an HTTP boot server's. The number is Intel's, as in the request.
            if (client.Kind == ClientKind.HttpFirmware)
                reply.Options.Add(Dhcp6OptionCode.VendorClass, HttpClient);
        }
    }

    private (Dhcp6Outcome, Dhcp6Message?) Done(Dhcp6Message reply, DhcpEventKind kind, Func<string, string> text)
    {
        var booting = _bootFile is { } file ? $", boots {file}" : client.Kind == ClientKind.Host ? "" : ", no boot file for it";
        return (new Dhcp6Outcome(Event(kind, who => text(who) + booting)) { Leases = _leases }, reply);
    }

    private DhcpEvent Event(DhcpEventKind kind, Func<string, string> text) => new(kind, now, text)
    {
        Client = client,
        Network = _network.Name,
        Address = _address,
        BootFile = _bootFile,
    };

    private Lease LeaseOf(uint association, IPAddress address, LeaseState state, DateTimeOffset end) =>
        new(address, _network.Name, client.Hardware, state, now, end)
        {
            ClientId = Dhcp6Server.ClientIdOf(association, _duid.Span),
            Uuid = client.Uuid,
        };
}
