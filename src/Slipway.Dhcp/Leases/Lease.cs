using System.Net;
using Slipway.Dhcp.Wire;

namespace Slipway.Dhcp.Leases;

public enum LeaseState
{
    Bound,

    /// <summary>The client gave it back; it gets the same again while nobody else needs it.</summary>
    Released,

    /// <summary>Somebody else uses the address: nobody gets it until the lease's end.</summary>
    Declined,
}

/// <summary>
/// What must survive a restart. <see cref="Address"/> is the key: a later lease of an address replaces the earlier one,
/// and a store that keeps both has the history.
/// </summary>
public sealed record Lease(IPAddress Address, string Network, HardwareAddress Hardware, LeaseState State, DateTimeOffset Start, DateTimeOffset End)
{
    /// <summary>Option 61; empty where the client sent none.</summary>
    public ReadOnlyMemory<byte> ClientId { get; init; }

    public string? HostName { get; init; }

    /// <summary>Option 97.</summary>
    public Guid? Uuid { get; init; }
}
