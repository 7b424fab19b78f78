using System.Net;
using Slipway.Dhcp.Clients;
using Slipway.Dhcp.Wire;

namespace Slipway.Dhcp.Server;

/// <summary>
/// Knows which answers on a link are not this server's. A second server that gives addresses there sends machines to
/// other boot files, or gives one address twice: it is told once, and again after a while. Without its sockets.
/// </summary>
/// <param name="own">The server identifiers of this server.</param>
public sealed class OtherServers(IReadOnlySet<IPAddress> own, TimeProvider clock)
{
    /// <summary>Bounds what an attacker who invents servers can make this one keep.</summary>
    private const int MostKnown = 256;

    private static readonly TimeSpan Silence = TimeSpan.FromHours(1);

    private readonly Dictionary<IPAddress, DateTimeOffset> _told = [];

    /// <summary>
    /// A DISCOVER that any server answers to everybody, whoever may have an address of it. It is never followed by a
    /// REQUEST, so no lease comes of it.
    /// </summary>
    /// <param name="hardware">Of the interface that asks.</param>
    public static byte[] Probe(HardwareAddress hardware, uint xid)
    {
        var probe = new DhcpMessage { Hardware = hardware, Xid = xid, Broadcast = true, Type = MessageType.Discover };
        return DhcpMessageWriter.Write(probe, DhcpMessageWriter.MinLength, out _);
    }

    /// <summary>The event of another server's OFFER or ACK; null where the packet is none, or its server was told of already.</summary>
    public DhcpEvent? Hear(ReadOnlyMemory<byte> packet, IPAddress source, string interfaceName)
    {
        if (!DhcpMessageReader.TryRead(packet, out var message, out _) || message.Op != 2 || message.Type is not (MessageType.Offer or MessageType.Ack))
            return null;
        var server = message.Options.Address(OptionCode.ServerIdentifier) ?? source;
        if (own.Contains(server) || own.Contains(source))
            return null;
        var now = clock.GetUtcNow();
        if (_told.TryGetValue(server, out var last) && now - last < Silence)
            return null;
        if (_told.Count >= MostKnown)
            _told.Clear();
        _told[server] = now;
        var gives = message.YourAddress.Equals(IPAddress.Any) ? "tells machines what to boot" : $"gives addresses ({message.YourAddress} to {message.Hardware})";
        return new DhcpEvent(DhcpEventKind.OtherServerHeard, now, _ =>
            $"another DHCP server, {server}, answers on {interfaceName} and {gives}: switch it off there, or set mode: proxy for this network")
        {
            Client = DhcpClient.From(message),
            Address = message.YourAddress,
            Server = server,
        };
    }
}
