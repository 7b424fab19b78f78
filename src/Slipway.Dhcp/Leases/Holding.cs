using System.Net;
using Slipway.Dhcp.Wire;

namespace Slipway.Dhcp.Leases;

internal enum HoldingState
{
    Offered,
    Bound,
    Ended,
    Quarantined,
}

/// <summary>An address of which somebody has, or had, the use.</summary>
internal sealed class Holding(IPAddress address, uint number)
{
    public IPAddress Address { get; } = address;

    public uint Number { get; } = number;

    public ClientKey Client { get; set; }

    /// <summary>The card that it was given to, also where clients are told apart by identifier.</summary>
    public HardwareAddress Hardware { get; set; }

    public HoldingState State { get; set; }

    public DateTimeOffset End { get; set; }
}
