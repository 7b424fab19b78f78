using Slipway.Fleet.Machines;

namespace Slipway.Fleet.Boots;

/// <summary>
/// The latest messages of machines in their present runs. Beside the events of a run, since they are many and the last count;
/// bounded for each machine and for all together, so that one that talks leaves room for the rest.
/// </summary>
internal sealed class MachineMessages(int ofOne, int ofAll)
{
    // In the order of arrival, of all machines.
    private readonly LinkedList<BootEvent> _all = [];
    private readonly Dictionary<MacAddress, Queue<LinkedListNode<BootEvent>>> _ofMachines = [];

    public IReadOnlyList<BootEvent> Of(MacAddress mac) => _ofMachines.TryGetValue(mac, out var own) ? [.. own.Select(n => n.Value)] : [];

    public void Add(BootEvent message)
    {
        if (!_ofMachines.TryGetValue(message.Mac, out var own))
            own = _ofMachines[message.Mac] = [];
        own.Enqueue(_all.AddLast(message));
        if (own.Count > ofOne)
            _all.Remove(own.Dequeue());
        else if (_all.Count > ofAll)
            RemoveOldest(_all.First!.Value.Mac);
    }

    public void Forget(MacAddress mac)
    {
        if (!_ofMachines.Remove(mac, out var own))
            return;
        foreach (var node in own)
            _all.Remove(node);
    }

    private void RemoveOldest(MacAddress mac)
    {
        var own = _ofMachines[mac];
        _all.Remove(own.Dequeue());
        if (own.Count == 0)
            _ofMachines.Remove(mac);
    }
}
