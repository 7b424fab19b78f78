using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Slipway.Dhcp.V6.Wire;

/// <summary>One relay's wrapping of a message (RFC 8415 §9).</summary>
/// <param name="Link">Which link the client is on; unspecified where the relay only says which interface.</param>
/// <param name="Peer">Whom the relay got it from.</param>
/// <param name="InterfaceId">Goes back unchanged (§21.18).</param>
/// <param name="ClientHardware">Option 79: hardware type and address of the client (RFC 6939); empty where the relay does not say.</param>
public sealed record Relay6(byte Hops, IPAddress Link, IPAddress Peer, ReadOnlyMemory<byte>? InterfaceId, ReadOnlyMemory<byte> ClientHardware)
{
    private const int Head = 34;

    /// <summary>HOP_COUNT_LIMIT (RFC 8415 §7.6).</summary>
    private const int MaxHops = 8;

    /// <summary>Takes the relays' wrappings off, the outermost first. False with the reason.</summary>
    public static bool TryUnwrap(ReadOnlyMemory<byte> packet, out ReadOnlyMemory<byte> message, out List<Relay6> relays, [NotNullWhen(false)] out string? reason)
    {
        relays = [];
        message = packet;
        reason = null;
        while (!message.IsEmpty && message.Span[0] == (byte)Dhcp6MessageType.RelayForward)
        {
            if (relays.Count > MaxHops)
                reason = $"more than {MaxHops} relays";
            else if (message.Length < Head || !Dhcp6Options.TryRead(message[Head..], out var options))
                reason = "a relay's message is cut off";
            else if (options.Find(Dhcp6OptionCode.RelayMessage) is not { } inner)
                reason = "a relay's message without a client's";
            else
            {
                var span = message.Span;
                relays.Add(new(span[1], new IPAddress(span[2..18]), new IPAddress(span[18..34]), options.Find(Dhcp6OptionCode.InterfaceId),
                    options.Find(Dhcp6OptionCode.ClientLinkLayerAddress) ?? default));
                message = inner;
                continue;
            }
            return false;
        }
        return true;
    }

    /// <summary>Wraps a reply for the way back (RFC 8415 §19.3).</summary>
    public static byte[] Wrap(byte[] reply, IReadOnlyList<Relay6> relays)
    {
        for (var i = relays.Count - 1; i >= 0; i--)
        {
            var options = new Dhcp6Options();
            if (relays[i].InterfaceId is { } id)
                options.Add(Dhcp6OptionCode.InterfaceId, id);
            options.Add(Dhcp6OptionCode.RelayMessage, reply);
            reply = [(byte)Dhcp6MessageType.RelayReply, relays[i].Hops, .. relays[i].Link.GetAddressBytes(), .. relays[i].Peer.GetAddressBytes(), .. options.ToArray()];
        }
        return reply;
    }
}
