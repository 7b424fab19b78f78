using System.Net;
using Slipway.Dhcp.Clients;
using Slipway.Dhcp.Wire;

namespace Slipway.Dhcp.Networks;

/// <summary>An address kept for one client, which is known by exactly one of these.</summary>
public sealed record Reservation(IPAddress Address)
{
    public HardwareAddress? Hardware { get; init; }

    /// <summary>Option 61, whole.</summary>
    public ReadOnlyMemory<byte> ClientId { get; init; }

    /// <summary>Option 97.</summary>
    public Guid? Uuid { get; init; }

    /// <summary>The relay's port that the client hangs on (option 82, sub-option 1), with <see cref="RemoteId"/> where given.</summary>
    public ReadOnlyMemory<byte> CircuitId { get; init; }

    public ReadOnlyMemory<byte> RemoteId { get; init; }

    public string? HostName { get; init; }

    public bool Matches(DhcpClient client) =>
        Hardware is { } hardware ? client.Hardware == hardware
        : Uuid is { } uuid ? client.Uuid == uuid
        : !ClientId.IsEmpty ? client.ClientId.Span.SequenceEqual(ClientId.Span)
        : !(CircuitId.IsEmpty && RemoteId.IsEmpty)
            && client.Relay is { } relay
            && (CircuitId.IsEmpty || relay.CircuitId.Span.SequenceEqual(CircuitId.Span))
            && (RemoteId.IsEmpty || relay.RemoteId.Span.SequenceEqual(RemoteId.Span));
}
