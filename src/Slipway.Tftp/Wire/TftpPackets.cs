using System.Buffers.Binary;
using System.Text;

namespace Slipway.Tftp.Wire;

/// <summary>The packets a server sends (RFC 1350 §5, RFC 2347).</summary>
public static class TftpPackets
{
    public const int HeaderLength = 4;

    public static byte[] Error(TftpError code, string message)
    {
        var packet = new byte[HeaderLength + Encoding.UTF8.GetByteCount(message) + 1];
        BinaryPrimitives.WriteUInt16BigEndian(packet, (ushort)TftpOpcode.Error);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)code);
        Encoding.UTF8.GetBytes(message, packet.AsSpan(HeaderLength));
        return packet;
    }

    public static byte[] OptionAcknowledgement(IEnumerable<(string Name, string Value)> options)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in options)
            text.Append(name).Append('\0').Append(value).Append('\0');
        var packet = new byte[2 + Encoding.UTF8.GetByteCount(text.ToString())];
        BinaryPrimitives.WriteUInt16BigEndian(packet, (ushort)TftpOpcode.OptionAcknowledgement);
        Encoding.UTF8.GetBytes(text.ToString(), packet.AsSpan(2));
        return packet;
    }

    public static void WriteDataHeader(Span<byte> packet, ushort block)
    {
        BinaryPrimitives.WriteUInt16BigEndian(packet, (ushort)TftpOpcode.Data);
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], block);
    }
}
