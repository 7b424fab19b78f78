using System.Net;
using Slipway.Dhcp.Wire;

namespace Slipway.Dhcp.Server;

/// <summary>A packet to send.</summary>
/// <param name="Link">
/// Set where the receiver does not have <paramref name="Address"/> yet and so answers no ARP: the frame must be addressed
/// to this (RFC 2131 §4.1). A host that cannot do that broadcasts.
/// </param>
public sealed record DhcpReply(byte[] Packet, IPAddress Address, int Port, HardwareAddress? Link);
