using System.Net;

namespace Slipway.Fleet.Machines;

/// <summary>What a machine told of itself when it asked for an address to boot. Nothing of it is proven.</summary>
public sealed record MachineSighting(MacAddress Mac, DateTimeOffset FirstSeen, DateTimeOffset LastSeen)
{
    /// <summary>Option 97.</summary>
    public Guid? Uuid { get; init; }

    /// <summary>Option 93, as a name.</summary>
    public string? Architecture { get; init; }

    /// <summary>Option 60: the firmware's own words.</summary>
    public string? Firmware { get; init; }

    public string? Network { get; init; }

    public IPAddress? Address { get; init; }

    /// <summary>The relay between it and the server; null on the server's own link.</summary>
    public IPAddress? Relay { get; init; }

    /// <summary>This sighting after an earlier one: what was left out now was said then.</summary>
    public MachineSighting After(MachineSighting earlier) => this with
    {
        FirstSeen = earlier.FirstSeen,
        Uuid = Uuid ?? earlier.Uuid,
        Architecture = Architecture ?? earlier.Architecture,
        Firmware = Firmware ?? earlier.Firmware,
        Network = Network ?? earlier.Network,
        Address = Address ?? earlier.Address,
        Relay = Relay ?? earlier.Relay,
    };
}
