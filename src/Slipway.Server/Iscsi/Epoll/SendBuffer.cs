using System.Net.Sockets;

namespace Slipway.Server.Iscsi.Epoll;

/// <summary>
/// How much a connection has on its way in the kernel. Linux lets it grow to megabytes (net.ipv4.tcp_wmem), which a far
/// peer needs. For a near one it only means that several busy connections together have more on their way than a
/// processor's caches hold.
/// </summary>
internal static class SendBuffer
{
    /// <summary>As the kernel counts, with its own overhead: about what a connection lets wait (TargetLimits.SendBacklog).</summary>
    public const int NearBytes = 768 * 1024;

    /// <summary>Within it <see cref="NearBytes"/> are sent at 12 Gbit/s.</summary>
    private static readonly TimeSpan Near = TimeSpan.FromMicroseconds(500);

    // struct tcp_info, of linux/tcp.h: tcpi_min_rtt, in microseconds, and all ones where nothing was measured.
    private const int Tcp = 6, Info = 11, MinRoundTrip = 148;

    /// <summary>Bounds it where the peer is near, by the quickest round trip so far. Beyond net.core.wmem_max only CAP_NET_ADMIN gets; without it nothing changes.</summary>
    public static void Bound(Socket socket)
    {
        Span<byte> info = stackalloc byte[MinRoundTrip + sizeof(uint)];
        if (socket.GetRawSocketOption(Tcp, Info, info) == info.Length && BitConverter.ToUInt32(info[MinRoundTrip..]) <= Near.TotalMicroseconds)
            SocketOptions.ForceSendBuffer(socket, NearBytes / 2);
    }
}
