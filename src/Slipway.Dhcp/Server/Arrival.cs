using System.Net;

namespace Slipway.Dhcp.Server;

/// <summary>How a packet came: the interface, and the address it was sent from.</summary>
/// <param name="LocalPort">67, or 4011 for PXE boot server requests.</param>
public readonly record struct Arrival(string Interface, IPAddress Source, int SourcePort, int LocalPort = DhcpServer.Port);
