using Slipway.Dhcp.Clients;
using Slipway.Dhcp.Networks;

namespace Slipway.Dhcp.Server;

/// <summary>Decides what a client boots. Asked on every answer, so it must be quick and must not block.</summary>
public interface IBootPolicy
{
    /// <summary>Null: nothing to boot for this client; it still gets an address. Not asked for <see cref="ClientKind.Host"/>.</summary>
    BootDirections? DirectionsFor(DhcpClient client, DhcpNetwork network);
}
