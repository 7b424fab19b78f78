using System.Diagnostics.CodeAnalysis;

namespace Slipway.Dhcp.V6.Wire;

/// <summary>What a client and a server say to each other (RFC 8415 §8).</summary>
public sealed class Dhcp6Message(Dhcp6MessageType type, uint transaction)
{
    private const int Head = 4;

    public Dhcp6MessageType Type { get; } = type;

    /// <summary>24 bits that the client chose.</summary>
    public uint Transaction { get; } = transaction;

    public Dhcp6Options Options { get; private init; } = new();

    /// <summary>False with the reason, for the log. The message keeps slices of the packet.</summary>
    public static bool TryRead(ReadOnlyMemory<byte> packet, [NotNullWhen(true)] out Dhcp6Message? message, [NotNullWhen(false)] out string? reason)
    {
        message = null;
        var span = packet.Span;
        if (span.Length < Head)
        {
            reason = $"{span.Length} bytes; a DHCPv6 message has at least {Head}";
            return false;
        }
        if ((Dhcp6MessageType)span[0] is var type && type is Dhcp6MessageType.None or > Dhcp6MessageType.InformationRequest)
        {
            reason = $"message type {span[0]}";
            return false;
        }
        if (!Dhcp6Options.TryRead(packet[Head..], out var options))
        {
            reason = "an option runs past the end";
            return false;
        }
        reason = null;
        message = new(type, (uint)(span[1] << 16 | span[2] << 8 | span[3])) { Options = options };
        return true;
    }

    public byte[] ToArray()
    {
        var bytes = new byte[Head + Options.Length];
        bytes[0] = (byte)Type;
        bytes[1] = (byte)(Transaction >> 16);
        bytes[2] = (byte)(Transaction >> 8);
        bytes[3] = (byte)Transaction;
        Options.Write(bytes.AsSpan(Head));
        return bytes;
    }
}
