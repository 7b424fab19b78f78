using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Slipway.Dhcp.Wire;

/// <summary>Bytes to message. The message keeps slices of the packet: give it a buffer that nobody reuses.</summary>
public static class DhcpMessageReader
{
    internal const uint MagicCookie = 0x63825363;
    internal const int FixedLength = 236;
    internal const int OptionsOffset = FixedLength + 4;
    internal const int ServerNameOffset = 44;
    internal const int FileOffset = 108;

    /// <summary>False with the reason, for the log, where the packet is not a DHCP message.</summary>
    public static bool TryRead(ReadOnlyMemory<byte> packet, [NotNullWhen(true)] out DhcpMessage? message, [NotNullWhen(false)] out string? reason)
    {
        message = null;
        var span = packet.Span;
        if (span.Length < OptionsOffset)
        {
            reason = $"{span.Length} bytes; a DHCP message has at least {OptionsOffset}";
            return false;
        }
        if (span[0] is not (1 or 2))
        {
            reason = $"op is {span[0]}; 1 and 2 exist";
            return false;
        }
        if (span[2] > HardwareAddress.MaxLength)
        {
            reason = $"hlen is {span[2]}; chaddr has {HardwareAddress.MaxLength} bytes";
            return false;
        }
        // Plain BOOTP carries another vendor area here, or none (RFC 1497).
        if (BinaryPrimitives.ReadUInt32BigEndian(span[FixedLength..]) != MagicCookie)
        {
            reason = "no DHCP magic cookie";
            return false;
        }

        var m = new DhcpMessage
        {
            Op = span[0],
            Hardware = new HardwareAddress(span[1], span.Slice(28, span[2])),
            Hops = span[3],
            Xid = BinaryPrimitives.ReadUInt32BigEndian(span[4..]),
            Seconds = BinaryPrimitives.ReadUInt16BigEndian(span[8..]),
            Flags = BinaryPrimitives.ReadUInt16BigEndian(span[10..]),
            ClientAddress = Address(span[12..]),
            YourAddress = Address(span[16..]),
            NextServer = Address(span[20..]),
            RelayAddress = Address(span[24..]),
        };

        byte overload = 0;
        if (!TryReadOptions(packet[OptionsOffset..], m.Options, "options", ref overload, out reason))
            return false;
        if (overload > 3)
        {
            reason = $"option overload is {overload}; 1, 2 and 3 exist (RFC 2132 §9.3)";
            return false;
        }
        // File first, then sname (RFC 2131 §4.1); neither may lend itself again.
        var file = packet.Slice(FileOffset, DhcpMessage.FileLength);
        var serverName = packet.Slice(ServerNameOffset, DhcpMessage.ServerNameLength);
        byte nested = 0;
        if ((overload & 1) == 0)
            m.File = Unpadded(file);
        else if (!TryReadOptions(file, m.Options, "file", ref nested, out reason))
            return false;
        if ((overload & 2) == 0)
            m.ServerName = Unpadded(serverName);
        else if (!TryReadOptions(serverName, m.Options, "sname", ref nested, out reason))
            return false;

        reason = null;
        message = m;
        return true;
    }

    // A missing END is tolerated: some firmware fills the field to its last byte.
    private static bool TryReadOptions(ReadOnlyMemory<byte> field, DhcpOptions options, string name, ref byte overload, [NotNullWhen(false)] out string? reason)
    {
        reason = null;
        var rest = field;
        while (!rest.IsEmpty)
        {
            var code = (OptionCode)rest.Span[0];
            if (code == OptionCode.End)
                return true;
            if (code == OptionCode.Pad)
            {
                rest = rest[1..];
                continue;
            }
            if (rest.Length < 2 || rest.Span[1] > rest.Length - 2)
            {
                reason = $"option {(byte)code} runs past the end of {name}";
                return false;
            }
            var value = rest.Slice(2, rest.Span[1]);
            rest = rest[(2 + value.Length)..];
            if (code != OptionCode.Overload)
                options.Append(code, value);
            else if (value.Length == 1)
                overload = value.Span[0];
        }
        return true;
    }

    private static ReadOnlyMemory<byte> Unpadded(ReadOnlyMemory<byte> field)
    {
        var end = field.Span.IndexOf((byte)0);
        return end < 0 ? field : field[..end];
    }

    private static IPAddress Address(ReadOnlySpan<byte> span) =>
        BinaryPrimitives.ReadUInt32BigEndian(span) == 0 ? IPAddress.Any : new IPAddress(span[..4]);
}
