using System.Net;
using Slipway.Dhcp.Clients;
using Slipway.Dhcp.Networks;

namespace Slipway.Dhcp.Leases;

/// <summary>
/// The addresses of one network and who has them. Each address has at most one holder and each client at most one
/// address. A fresh client gets an address that nobody had yet; when there is none, the one whose lease ended first. So
/// a client that comes back late still finds its own.
/// </summary>
internal sealed class LeaseTable
{
    private readonly DhcpNetwork _network;
    private readonly ReservationIndex _reservations;
    private readonly Dictionary<uint, Holding> _byAddress = [];
    private readonly Dictionary<ClientKey, Holding> _byClient = [];

    // Holdings by the time of their end. An entry whose time is no longer its holding's is stale and dropped when met.
    private readonly PriorityQueue<Holding, long> _ends = new();
    private int _range;
    private uint _next;

    public LeaseTable(DhcpNetwork network)
    {
        network.Check();
        _network = network;
        _reservations = new ReservationIndex(network.Reservations);
        _next = network.Pool.Count > 0 ? network.Pool[0].FirstNumber : 0;
    }

    public DhcpNetwork Network => _network;

    public Holding? Of(ClientKey client) => _byClient.GetValueOrDefault(client);

    public Holding? At(IPAddress address) => _byAddress.GetValueOrDefault(Ipv4.Number(address));

    public IEnumerable<Holding> Holdings => _byAddress.Values;

    public Reservation? ReservationOf(DhcpClient client) => _reservations.Find(client);

    /// <summary>Whether the client may have this address now: its reservation, or free and nobody's reservation.</summary>
    public bool MayHave(ClientKey key, DhcpClient client, IPAddress address, DateTimeOffset now)
    {
        var number = Ipv4.Number(address);
        if (_reservations.Find(client) is { } reservation)
        {
            if (reservation.Address.Equals(address))
                return !IsTaken(number, key, now);
            // While somebody else is in it, or it answered a probe, the client gets one from the pool instead of none.
            if (!IsTaken(Ipv4.Number(reservation.Address), key, now))
                return false;
        }
        return IsInPool(number) && !IsTaken(number, key, now);
    }

    /// <summary>The address for a client: reserved, its last one, the one it asks for, a fresh one; null where none is left.</summary>
    public IPAddress? Choose(ClientKey key, DhcpClient client, IPAddress? wish, DateTimeOffset now)
    {
        if (_reservations.Find(client) is { } reservation && MayHave(key, client, reservation.Address, now))
            return reservation.Address;
        if (Of(key) is { } last && MayHave(key, client, last.Address, now))
            return last.Address;
        if (wish is not null && MayHave(key, client, wish, now))
            return wish;
        return Fresh() ?? Oldest(now);
    }

    /// <summary>Gives the address to the client; what the client, and the address, had before ends.</summary>
    public Holding Assign(ClientKey key, IPAddress address, HoldingState state, DateTimeOffset end)
    {
        var number = Ipv4.Number(address);
        if (_byAddress.TryGetValue(number, out var holding))
        {
            if (holding.Client != key && _byClient.GetValueOrDefault(holding.Client) == holding)
                _byClient.Remove(holding.Client);
        }
        else
        {
            holding = new Holding(address, number);
            _byAddress.Add(number, holding);
        }
        if (_byClient.TryGetValue(key, out var former) && former != holding)
            End(former, DateTimeOffset.MinValue);
        holding.Client = key;
        holding.State = state;
        holding.End = end;
        _byClient[key] = holding;
        Ends(holding);
        return holding;
    }

    /// <summary>Takes over what another table knew of an address.</summary>
    public void Adopt(Holding holding)
    {
        if (holding.State == HoldingState.Quarantined)
            Quarantine(holding.Address, holding.End);
        else
            Assign(holding.Client, holding.Address, holding.State, holding.End).Hardware = holding.Hardware;
    }

    /// <summary>Nobody gets the address until then.</summary>
    public void Quarantine(IPAddress address, DateTimeOffset until)
    {
        var number = Ipv4.Number(address);
        if (!_byAddress.TryGetValue(number, out var holding))
            _byAddress.Add(number, holding = new Holding(address, number));
        if (_byClient.GetValueOrDefault(holding.Client) == holding)
            _byClient.Remove(holding.Client);
        holding.Client = default;
        holding.State = HoldingState.Quarantined;
        holding.End = until;
        Ends(holding);
    }

    /// <summary>The client keeps its claim, but anybody may get the address from now on.</summary>
    public void End(Holding holding, DateTimeOffset now)
    {
        holding.State = HoldingState.Ended;
        holding.End = now;
        Ends(holding);
    }

    // Renewals leave stale entries behind: when they are the most, the queue is made anew.
    private void Ends(Holding holding)
    {
        if (_ends.Count > 4 * _byAddress.Count + 64)
        {
            _ends.Clear();
            _ends.EnqueueRange(_byAddress.Values.Where(h => h != holding).Select(h => (h, h.End.UtcTicks)));
        }
        _ends.Enqueue(holding, holding.End.UtcTicks);
    }

    private bool IsTaken(uint number, ClientKey key, DateTimeOffset now) =>
        number == Ipv4.Number(_network.ServerAddress)
        || (_byAddress.TryGetValue(number, out var holding) && holding.End > now
            && (holding.State == HoldingState.Quarantined || holding.Client != key));

    private bool IsInPool(uint number)
    {
        foreach (var range in _network.Pool)
        {
            if (range.Contains(number))
                return !IsExcluded(number);
        }
        return false;
    }

    // The subnet's first and last address are the network itself and its broadcast, except in /31 (RFC 3021) and /32.
    private bool IsExcluded(uint number)
    {
        var hosts = 32 - _network.Subnet.PrefixLength;
        var hostPart = hosts == 32 ? number : number & ((1u << hosts) - 1);
        if (hosts > 1 && (hostPart == 0 || hostPart == (hosts == 32 ? uint.MaxValue : (1u << hosts) - 1)))
            return true;
        foreach (var range in _network.Exclusions)
        {
            if (range.Contains(number))
                return true;
        }
        return number == Ipv4.Number(_network.ServerAddress) || _reservations.IsReserved(number);
    }

    private IPAddress? Fresh()
    {
        for (; _range < _network.Pool.Count; _range++, _next = _range < _network.Pool.Count ? _network.Pool[_range].FirstNumber : 0)
        {
            var last = _network.Pool[_range].LastNumber;
            for (; _next <= last && _next >= _network.Pool[_range].FirstNumber; _next++)
            {
                // Not advanced past the result: it is fresh until it is assigned.
                if (!IsExcluded(_next) && !_byAddress.ContainsKey(_next))
                    return Ipv4.Address(_next);
            }
        }
        return null;
    }

    private IPAddress? Oldest(DateTimeOffset now)
    {
        while (_ends.TryPeek(out var holding, out var ticks) && ticks <= now.UtcTicks)
        {
            if (ticks == holding.End.UtcTicks && IsInPool(holding.Number))
                return holding.Address;
            _ends.Dequeue();
        }
        return null;
    }
}
