using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Slipway.Server.Tests.Net;

namespace Slipway.EndToEnd;

/// <summary>
/// The router of a link, as far as machines need one: each second it says that addresses are DHCPv6's to give (flags M and O)
/// and which prefix is on the link (RFC 4861 §4.2). It is no default router.
/// </summary>
internal sealed class RouterAdvertisements : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private readonly Socket _socket;
    private readonly Timer _timer;

    public RouterAdvertisements(NetworkNamespace network, string link, IPNetwork prefix)
    {
        _socket = network.Run(() => new Socket(AddressFamily.InterNetworkV6, SocketType.Raw, ProtocolType.IcmpV6));
        var index = int.Parse(network.Execute("cat", $"/sys/class/net/{link}/ifindex").Output, System.Globalization.CultureInfo.InvariantCulture);
        _socket.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.MulticastInterface, index);
        // §6.1.2: hosts take it only from their own link.
        _socket.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.MulticastTimeToLive, 255);
        var everybody = new IPEndPoint(new IPAddress(IPAddress.Parse("ff02::1").GetAddressBytes(), index), 0);
        var packet = Packet(prefix);
        _timer = new Timer(_ => _socket.SendTo(packet, everybody), null, TimeSpan.Zero, Interval);
    }

    public async ValueTask DisposeAsync()
    {
        await _timer.DisposeAsync();
        _socket.Dispose();
    }

    private static byte[] Packet(IPNetwork prefix)
    {
        var packet = new byte[16 + 32];
        packet[0] = 134;
        packet[4] = 64;
        packet[5] = 0xC0;
        // Prefix information (§4.6.2): on the link, and not for addresses that hosts make up themselves.
        (packet[16], packet[17], packet[18], packet[19]) = (3, 4, (byte)prefix.PrefixLength, 0x80);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(20), 3600);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(24), 3600);
        prefix.BaseAddress.TryWriteBytes(packet.AsSpan(32), out _);
        return packet;
    }
}
