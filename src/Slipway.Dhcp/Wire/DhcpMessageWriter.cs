using System.Buffers.Binary;
using System.Net;

namespace Slipway.Dhcp.Wire;

/// <summary>
/// Message to bytes. Options longer than 255 bytes are split (RFC 3396 §7). Where the options field is too small, file and
/// then sname are lent to options, if the message leaves them empty (option 52); a part never goes to a field that is
/// read before the one in use, so that a reader joins parts in order. Option 82 is the last (RFC 3046 §2.2).
/// </summary>
public static class DhcpMessageWriter
{
    /// <summary>What every client must accept: 576 bytes of IP datagram less IP and UDP headers (RFC 2131 §2).</summary>
    public const int DefaultMaxLength = 576 - 28;

    /// <summary>Relays and old clients drop shorter BOOTP replies (RFC 1542 §2.1).</summary>
    public const int MinLength = 300;

    /// <summary>Writes at most <paramref name="maxLength"/> bytes. Options that do not fit are left out and returned.</summary>
    public static byte[] Write(DhcpMessage message, int maxLength, out IReadOnlyList<OptionCode> omitted)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLength, MinLength);
        var packet = new byte[maxLength];
        WriteHeader(message, packet);

        var relay = message.Options.Find(OptionCode.RelayAgentInformation);
        var relayLength = relay is { } r ? LengthOnWire(r.Length) : 0;
        var needed = message.Options.All.Sum(o => LengthOnWire(o.Value.Length)) + 1;
        var overload = (byte)0;
        if (DhcpMessageReader.OptionsOffset + needed > maxLength)
            overload = (byte)((message.File.IsEmpty ? 1 : 0) | (message.ServerName.IsEmpty ? 2 : 0));

        // END of each field, option 52 and option 82 are taken off before anything else is placed.
        var options = new Field(packet.AsMemory(DhcpMessageReader.OptionsOffset), 1 + relayLength + (overload != 0 ? 3 : 0));
        var fields = new List<Field> { options };
        if ((overload & 1) != 0)
            fields.Add(new Field(packet.AsMemory(DhcpMessageReader.FileOffset, DhcpMessage.FileLength), 1));
        if ((overload & 2) != 0)
            fields.Add(new Field(packet.AsMemory(DhcpMessageReader.ServerNameOffset, DhcpMessage.ServerNameLength), 1));

        var left = new List<OptionCode>();
        foreach (var (code, value) in message.Options.All)
        {
            if (code != OptionCode.RelayAgentInformation && !TryPlace(fields, code, value.Span))
                left.Add(code);
        }
        omitted = left;

        options.Release(relayLength + (overload != 0 ? 3 : 0));
        if (overload != 0)
            options.Put(OptionCode.Overload, [overload]);
        if (relay is { } information && !TryPlace([options], OptionCode.RelayAgentInformation, information.Span))
            left.Add(OptionCode.RelayAgentInformation);
        foreach (var field in fields)
            field.End();
        var length = DhcpMessageReader.OptionsOffset + options.Used;
        return packet[..Math.Max(length, MinLength)];
    }

    private static void WriteHeader(DhcpMessage m, Span<byte> packet)
    {
        packet[0] = m.Op;
        packet[1] = m.Hardware.Type;
        packet[2] = m.Hardware.Length;
        packet[3] = m.Hops;
        BinaryPrimitives.WriteUInt32BigEndian(packet[4..], m.Xid);
        BinaryPrimitives.WriteUInt16BigEndian(packet[8..], m.Seconds);
        BinaryPrimitives.WriteUInt16BigEndian(packet[10..], m.Flags);
        Put(m.ClientAddress, packet[12..]);
        Put(m.YourAddress, packet[16..]);
        Put(m.NextServer, packet[20..]);
        Put(m.RelayAddress, packet[24..]);
        m.Hardware.CopyTo(packet.Slice(28, m.Hardware.Length));
        m.ServerName.Span.CopyTo(packet.Slice(DhcpMessageReader.ServerNameOffset, DhcpMessage.ServerNameLength));
        m.File.Span.CopyTo(packet.Slice(DhcpMessageReader.FileOffset, DhcpMessage.FileLength));
        BinaryPrimitives.WriteUInt32BigEndian(packet[DhcpMessageReader.FixedLength..], DhcpMessageReader.MagicCookie);
    }

    private static void Put(IPAddress address, Span<byte> destination)
    {
        if (!address.TryWriteBytes(destination[..4], out _))
            throw new ArgumentException($"{address} is not an IPv4 address", nameof(address));
    }

    private static int LengthOnWire(int length) => length + 2 * Math.Max(1, (length + 254) / 255);

    // An option goes into one field whole where it can; only one that fits in none is spread over the rest.
    private static bool TryPlace(List<Field> fields, OptionCode code, ReadOnlySpan<byte> value)
    {
        foreach (var field in fields)
        {
            if (LengthOnWire(value.Length) <= field.Free)
            {
                PutParts(field, code, value, value.Length);
                return true;
            }
        }
        if (fields.Sum(f => f.Capacity) < value.Length)
            return false;
        foreach (var field in fields)
        {
            var part = Math.Min(field.Capacity, value.Length);
            if (part == 0)
                continue;
            PutParts(field, code, value, part);
            value = value[part..];
        }
        return true;
    }

    private static void PutParts(Field field, OptionCode code, ReadOnlySpan<byte> value, int length)
    {
        var done = 0;
        do
        {
            var part = Math.Min(byte.MaxValue, length - done);
            field.Put(code, value.Slice(done, part));
            done += part;
        }
        while (done < length);
    }

    private sealed class Field(Memory<byte> bytes, int reserved)
    {
        private int _reserved = reserved;

        public int Used { get; private set; }

        public int Free => bytes.Length - Used - _reserved;

        /// <summary>Bytes of value that fit, with a two-byte head for each 255 of them.</summary>
        public int Capacity => Math.Max(0, Free / 257 * 255 + Math.Max(0, Free % 257 - 2));

        public void Release(int length) => _reserved -= length;

        public void Put(OptionCode code, ReadOnlySpan<byte> value)
        {
            var span = bytes.Span[Used..];
            span[0] = (byte)code;
            span[1] = (byte)value.Length;
            value.CopyTo(span[2..]);
            Used += 2 + value.Length;
        }

        public void End() => bytes.Span[Used++] = (byte)OptionCode.End;
    }
}
