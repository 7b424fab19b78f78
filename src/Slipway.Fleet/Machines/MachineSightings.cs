using Slipway.Fleet.Store;

namespace Slipway.Fleet.Machines;

/// <summary>
/// The machines that asked to boot, registered or not. Kept in memory, since DHCP tells of them faster than a disk syncs;
/// <see cref="Save"/> makes what is new durable. Anybody on the network can make up machines, so there is a limit:
/// beyond it the one that was silent for longest is forgotten. Thread-safe.
/// </summary>
public sealed class MachineSightings
{
    private readonly Lock _gate = new();
    private readonly Lock _saving = new();
    private readonly FleetStore _store;
    private readonly int _limit;
    private readonly Dictionary<MacAddress, LinkedListNode<MachineSighting>> _all;

    // The one that was silent for longest is the first.
    private readonly LinkedList<MachineSighting> _order;
    private readonly HashSet<MacAddress> _unsaved = [];

    public MachineSightings(FleetStore store, int limit = 20_000)
    {
        (_store, _limit) = (store, limit);
        _order = new(store.Sightings().OrderBy(s => s.LastSeen));
        _all = new(_order.Count);
        for (var node = _order.First; node is not null; node = node.Next)
            _all.Add(node.Value.Mac, node);
    }

    public IReadOnlyList<MachineSighting> All
    {
        get
        {
            lock (_gate)
                return [.. _order];
        }
    }

    public MachineSighting? Of(MacAddress mac)
    {
        lock (_gate)
            return _all.GetValueOrDefault(mac)?.Value;
    }

    public void See(MachineSighting sighting)
    {
        lock (_gate)
        {
            if (_all.TryGetValue(sighting.Mac, out var earlier))
            {
                sighting = sighting.After(earlier.Value);
                _order.Remove(earlier);
            }
            else if (_all.Count >= _limit)
            {
                Drop(_order.First!.Value.Mac);
            }
            _all[sighting.Mac] = _order.AddLast(sighting);
            _unsaved.Add(sighting.Mac);
        }
    }

    /// <summary>False where it was never seen.</summary>
    public bool Forget(MacAddress mac)
    {
        lock (_gate)
            return Drop(mac);
    }

    /// <summary>Writes what changed since the last time, as one transaction. Sightings go on meanwhile.</summary>
    public void Save()
    {
        lock (_saving)
            SaveChanges();
    }

    private void SaveChanges()
    {
        MacAddress[] changed;
        List<MachineSighting> seen = [];
        List<MacAddress> forgotten = [];
        lock (_gate)
        {
            changed = [.. _unsaved];
            _unsaved.Clear();
            foreach (var mac in changed)
            {
                if (_all.TryGetValue(mac, out var sighting))
                    seen.Add(sighting.Value);
                else
                    forgotten.Add(mac);
            }
        }
        if (changed.Length == 0)
            return;
        var saved = false;
        try
        {
            _store.Save(seen, forgotten);
            saved = true;
        }
        finally
        {
            if (!saved)
            {
                lock (_gate)
                    _unsaved.UnionWith(changed);
            }
        }
    }

    private bool Drop(MacAddress mac)
    {
        _unsaved.Add(mac);
        if (!_all.Remove(mac, out var dropped))
            return false;
        _order.Remove(dropped);
        return true;
    }
}
