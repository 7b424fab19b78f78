using System.Net;
using Slipway.Dhcp.Wire;

namespace Slipway.Dhcp.V6.Leases;

/// <summary>A client's name for one of its addresses (RFC 8415 §4.2: binding): its DUID, as hexadecimal digits, and the IAID.</summary>
internal readonly record struct BindingKey(string Duid, uint Association);

internal enum BindingState
{
    Offered,
    Bound,
    Ended,
    Quarantined,
}

/// <summary>An address of which somebody has, or had, the use.</summary>
internal sealed class Binding(IPAddress address)
{
    public IPAddress Address { get; } = address;

    public BindingKey Key { get; set; }

    /// <summary>Default where it is not known.</summary>
    public HardwareAddress Hardware { get; set; }

    public BindingState State { get; set; }

    public DateTimeOffset End { get; set; }
}
