using System.Collections.Concurrent;
using System.Net;
using Slipway.Fleet.Machines;
using Slipway.Server.Site;

namespace Slipway.Server.Machines;

/// <summary>
/// Who is who: machines by their network card, and the network card behind an address. One network card is one machine;
/// machines come and go while the server runs.
/// </summary>
/// <param name="machines">The machines to begin with.</param>
/// <param name="holderOf">Who holds the lease of an address.</param>
public sealed class MachineDirectory(IEnumerable<MachineSettings> machines, Func<IPAddress, MacAddress?> holderOf)
{
    private readonly ConcurrentDictionary<MacAddress, MachineSettings> _byMac = new(machines.ToDictionary(m => m.Mac));

    public IReadOnlyList<MachineSettings> All => [.. _byMac.Values.OrderBy(m => m.Name, StringComparer.Ordinal)];

    public MachineSettings? Find(MacAddress mac) => _byMac.GetValueOrDefault(mac);

    public MachineSettings? Named(string name) => _byMac.Values.FirstOrDefault(m => m.Name == name);

    public void Add(MachineSettings machine) => _byMac[machine.Mac] = machine;

    public void Remove(MacAddress mac) => _byMac.TryRemove(mac, out _);

    /// <summary>What a timeline calls a machine: its name, its MAC address where it has none.</summary>
    public string NameOf(MacAddress mac) => Find(mac)?.Name ?? mac.ToString();

    /// <summary>
    /// The network card that has an address: by its lease, or, where another server gives the addresses, by the host's
    /// neighbour table. Both are as good as the link: see docs/security.md.
    /// </summary>
    public MacAddress? At(IPAddress address)
    {
        var v4 = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return holderOf(v4) ?? NeighbourTable.Find(v4);
    }
}
