using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Slipway.Dhcp.Wire;

namespace Slipway.Server.Dhcp;

/// <summary>
/// Sends a UDP datagram to a hardware address. A client that has no address yet answers no ARP, so the ordinary socket
/// cannot reach it by unicast (RFC 2131 §4.1). Linux's packet socket makes the Ethernet header; IP's and UDP's are ours.
/// </summary>
internal sealed class LinkLayerSender : IDisposable
{
    private const int IpHeader = 20;
    private const int UdpHeader = 8;
    private const byte TimeToLive = 64;
    private const byte ProtocolUdp = 17;

    private readonly Socket _socket;
    private readonly PacketEndPoint _link;

    private LinkLayerSender(Socket socket, PacketEndPoint link)
    {
        _socket = socket;
        _link = link;
    }

    /// <summary>Null where the system has no packet sockets, or does not allow one (CAP_NET_RAW).</summary>
    public static LinkLayerSender? TryOpen(string interfaceName)
    {
        if (!OperatingSystem.IsLinux() || PacketEndPoint.Of(interfaceName) is not { } link)
            return null;
        try
        {
            // Protocol 0: this socket sends only, the kernel queues nothing to it.
            return new LinkLayerSender(new Socket(AddressFamily.Packet, SocketType.Dgram, 0), link);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.AccessDenied or SocketError.AddressFamilyNotSupported)
        {
            return null;
        }
    }

    public void Send(ReadOnlySpan<byte> payload, int sourcePort, IPAddress destination, int destinationPort, HardwareAddress hardware, IPAddress source)
    {
        Span<byte> packet = stackalloc byte[IpHeader + UdpHeader + payload.Length];
        WriteIp(packet, source, destination);
        WriteUdp(packet[IpHeader..], sourcePort, destinationPort, packet[12..20], payload);
        _socket.SendTo(packet, SocketFlags.None, _link.To(hardware));
    }

    public void Dispose() => _socket.Dispose();

    private static void WriteIp(Span<byte> packet, IPAddress source, IPAddress destination)
    {
        packet[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], (ushort)packet.Length);
        packet[8] = TimeToLive;
        packet[9] = ProtocolUdp;
        source.TryWriteBytes(packet[12..16], out _);
        destination.TryWriteBytes(packet[16..20], out _);
        BinaryPrimitives.WriteUInt16BigEndian(packet[10..], Checksum(packet[..IpHeader], 0));
    }

    private static void WriteUdp(Span<byte> udp, int sourcePort, int destinationPort, ReadOnlySpan<byte> addresses, ReadOnlySpan<byte> payload)
    {
        BinaryPrimitives.WriteUInt16BigEndian(udp, (ushort)sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(udp[2..], (ushort)destinationPort);
        BinaryPrimitives.WriteUInt16BigEndian(udp[4..], (ushort)udp.Length);
        payload.CopyTo(udp[UdpHeader..]);
        // The pseudo header (RFC 768): both addresses, the protocol, the length. A sum of zero is sent as all ones.
        var pseudo = Sum(addresses) + ProtocolUdp + (uint)udp.Length;
        var checksum = Checksum(udp, pseudo);
        BinaryPrimitives.WriteUInt16BigEndian(udp[6..], checksum == 0 ? (ushort)0xFFFF : checksum);
    }

    private static ushort Checksum(ReadOnlySpan<byte> bytes, uint sum)
    {
        sum += Sum(bytes);
        while (sum > ushort.MaxValue)
            sum = (sum & ushort.MaxValue) + (sum >> 16);
        return (ushort)~sum;
    }

    private static uint Sum(ReadOnlySpan<byte> bytes)
    {
        uint sum = 0;
        for (; bytes.Length > 1; bytes = bytes[2..])
            sum += BinaryPrimitives.ReadUInt16BigEndian(bytes);
        return bytes.IsEmpty ? sum : sum + ((uint)bytes[0] << 8);
    }
}
