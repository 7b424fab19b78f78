using System.Net;

namespace Slipway.Dhcp.V6.Server;

/// <summary>How a packet came: the interface, and the address it was sent from, a client's link-local one or a relay's.</summary>
public readonly record struct Dhcp6Arrival(string Interface, IPAddress Source);
