using System.Net;
using Slipway.Fleet.Machines;

namespace Slipway.Server.Site;

/// <summary>Who is who: machines by their network card, and the network card behind an address.</summary>
/// <param name="machines">The machines of the site.</param>
/// <param name="holderOf">Who holds the lease of an address.</param>
public sealed class MachineDirectory(IEnumerable<MachineSettings> machines, Func<IPAddress, MacAddress?> holderOf)
{
    private readonly Dictionary<MacAddress, MachineSettings> _byMac = machines.ToDictionary(m => m.Mac);

    public MachineSettings? Find(MacAddress mac) => _byMac.GetValueOrDefault(mac);

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
