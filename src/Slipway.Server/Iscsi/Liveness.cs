using System.Net.Sockets;
using Slipway.Iscsi.Target;

namespace Slipway.Server.Iscsi;

/// <summary>
/// When a peer that says nothing counts as dead. TCP alone decides: a kernel answers its probes whatever the initiator
/// above it does. iPXE is its own TCP, and is run only while a disk is asked for: at a boot menu that waits for a key it
/// answers nothing at all, and is well.
/// </summary>
internal static class Liveness
{
    private const int Probes = 6;

    // TCP_USER_TIMEOUT of Linux, which .NET has no name for.
    private const int Tcp = 6;
    private const int UserTimeout = 18;

    private static readonly TimeSpan KernelSilence = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan KernelProbe = TimeSpan.FromSeconds(10);

    /// <summary>Longer than anybody looks at a menu. A machine that is switched off meanwhile takes its session over when it boots.</summary>
    private static readonly TimeSpan IpxeSilence = TimeSpan.FromHours(8);
    private static readonly TimeSpan IpxeProbe = TimeSpan.FromMinutes(1);

    /// <summary>Sets when the connection breaks off: after about two minutes of silence, or eight hours.</summary>
    public static void Watch(Socket socket, LoginFacts facts)
    {
        var (silence, probe) = facts.IsIpxe ? (IpxeSilence, IpxeProbe) : (KernelSilence, KernelProbe);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, (int)silence.TotalSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, (int)probe.TotalSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, Probes);
        // Probes are sent on an idle connection only; this is the same bound for data that nobody acknowledges (tcp(7)).
        if (OperatingSystem.IsLinux())
            socket.SetRawSocketOption(Tcp, UserTimeout, BitConverter.GetBytes((int)(silence + Probes * probe).TotalMilliseconds));
    }
}
