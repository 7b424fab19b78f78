using System.Net;
using Slipway.Dhcp.Networks;
using Slipway.Dhcp.V6.Server;
using Slipway.Dhcp.Wire;

namespace Slipway.Dhcp.V6.Leases;

/// <summary>
/// The addresses of one network and who has them. A binding is a DUID's and an IAID's (RFC 8415 §12.1), and one machine has
/// several of those in one boot: firmware, iPXE and the system name themselves differently, and the disk session of the
/// second is the third's. So whoever asks with another name from the same network card takes its address over, unless the
/// network tells clients apart by identifier.
/// </summary>
internal sealed class BindingTable
{
    private readonly Dictionary<UInt128, Binding> _byAddress = [];
    private readonly Dictionary<BindingKey, Binding> _byKey = [];
    private readonly Dictionary<HardwareAddress, Binding> _byHardware = [];
    private readonly HashSet<UInt128> _reserved;

    // Bindings by the time of their end. An entry whose time is no longer its binding's is stale and dropped when met.
    private readonly PriorityQueue<Binding, long> _ends = new();
    private UInt128 _next;

    public BindingTable(Dhcp6Network network)
    {
        network.Check();
        Network = network;
        _reserved = [.. network.Reservations.Values.Select(Ipv6.Number)];
        _next = network.Pool is { } pool ? Ipv6.Number(pool.First) : 0;
    }

    public Dhcp6Network Network { get; }

    public IEnumerable<Binding> Bindings => _byAddress.Values;

    public Binding? At(IPAddress address) => _byAddress.GetValueOrDefault(Ipv6.Number(address));

    /// <param name="others">The other names that the client uses in this very message: each of them is for an address of its own.</param>
    public Binding? Of(BindingKey key, HardwareAddress hardware, IReadOnlyCollection<uint> others)
    {
        if (_byKey.TryGetValue(key, out var binding))
            return binding;
        return Network.Identity == ClientIdentity.HardwareAddress && hardware != default && _byHardware.TryGetValue(hardware, out binding) && !(binding.Key.Duid == key.Duid && others.Contains(binding.Key.Association))
            ? binding
            : null;
    }

    /// <summary>The address for a client: reserved, its last one, the one it asks for, a fresh one; null where none is left.</summary>
    public IPAddress? Choose(BindingKey key, HardwareAddress hardware, IReadOnlyCollection<uint> others, IEnumerable<IPAddress> wishes, DateTimeOffset now)
    {
        var last = Of(key, hardware, others);
        if (Network.Reservations.TryGetValue(hardware, out var reserved) && !IsTaken(reserved, key, last, now))
            return reserved;
        foreach (var address in wishes.Prepend(last?.Address).OfType<IPAddress>())
        {
            if (IsGiven(Ipv6.Number(address)) && !IsTaken(address, key, last, now))
                return address;
        }
        return Fresh() ?? Oldest(now);
    }

    /// <summary>Gives the address to the client; what the client, and the address, had before ends.</summary>
    public Binding Assign(BindingKey key, HardwareAddress hardware, Binding? last, IPAddress address, BindingState state, DateTimeOffset end)
    {
        var number = Ipv6.Number(address);
        if (!_byAddress.TryGetValue(number, out var binding))
            _byAddress.Add(number, binding = new(address));
        Forget(binding);
        if (last is not null && last != binding)
        {
            Forget(last);
            End(last, DateTimeOffset.MinValue);
        }
        (binding.Key, binding.Hardware, binding.State, binding.End) = (key, hardware, state, end);
        _byKey[key] = binding;
        if (hardware != default)
            _byHardware[hardware] = binding;
        Ends(binding);
        return binding;
    }

    /// <summary>The client keeps its claim, but anybody may get the address from now on.</summary>
    public void End(Binding binding, DateTimeOffset now)
    {
        (binding.State, binding.End) = (BindingState.Ended, now);
        Ends(binding);
    }

    /// <summary>Nobody gets the address until then.</summary>
    public void Quarantine(IPAddress address, DateTimeOffset until)
    {
        var number = Ipv6.Number(address);
        if (!_byAddress.TryGetValue(number, out var binding))
            _byAddress.Add(number, binding = new(address));
        Forget(binding);
        (binding.Key, binding.Hardware, binding.State, binding.End) = (default, default, BindingState.Quarantined, until);
        Ends(binding);
    }

    private void Forget(Binding binding)
    {
        if (_byKey.GetValueOrDefault(binding.Key) == binding)
            _byKey.Remove(binding.Key);
        if (_byHardware.GetValueOrDefault(binding.Hardware) == binding)
            _byHardware.Remove(binding.Hardware);
    }

    // Renewals leave stale entries behind: when they are the most, the queue is made anew.
    private void Ends(Binding binding)
    {
        if (_ends.Count > 4 * _byAddress.Count + 64)
        {
            _ends.Clear();
            _ends.EnqueueRange(_byAddress.Values.Where(b => b != binding).Select(b => (b, b.End.UtcTicks)));
        }
        _ends.Enqueue(binding, binding.End.UtcTicks);
    }

    private bool IsTaken(IPAddress address, BindingKey key, Binding? last, DateTimeOffset now) =>
        address.Equals(Network.ServerAddress)
        || (At(address) is { } binding && binding.End > now && (binding.State == BindingState.Quarantined || (binding != last && binding.Key != key)));

    // The subnet's first address is all routers' (RFC 4291 §2.6.1).
    private bool IsGiven(UInt128 number) =>
        Network.Pool is { } pool && number >= Ipv6.Number(pool.First) && number <= Ipv6.Number(pool.Last)
        && !_reserved.Contains(number) && number != Ipv6.Number(Network.ServerAddress) && number != Ipv6.Number(Network.Subnet.BaseAddress);

    private IPAddress? Fresh()
    {
        if (Network.Pool is not { } pool)
            return null;
        // Not advanced past the result: it is fresh until it is assigned.
        for (var last = Ipv6.Number(pool.Last); _next <= last; _next++)
        {
            if (IsGiven(_next) && !_byAddress.ContainsKey(_next))
                return Ipv6.Address(_next);
            if (_next == UInt128.MaxValue)
                break;
        }
        return null;
    }

    private IPAddress? Oldest(DateTimeOffset now)
    {
        while (_ends.TryPeek(out var binding, out var ticks) && ticks <= now.UtcTicks)
        {
            if (ticks == binding.End.UtcTicks && IsGiven(Ipv6.Number(binding.Address)))
                return binding.Address;
            _ends.Dequeue();
        }
        return null;
    }
}
