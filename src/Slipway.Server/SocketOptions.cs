using System.Net.Sockets;
using System.Text;

namespace Slipway.Server;

/// <summary>What sockets are set up with: Linux options that .NET has no name for, and the end of one that cannot be.</summary>
internal static class SocketOptions
{
    private const int SolSocket = 1;
    private const int SoBindToDevice = 25;
    private const int SoSendBufferForce = 32;
    private const int SoReceiveBufferForce = 33;

    /// <summary>Sets a new socket up, which is disposed of where that throws SocketException: the port is taken, or not allowed.</summary>
    public static Socket SetUp(Socket socket, Action<Socket> with)
    {
        try
        {
            with(socket);
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>
    /// A boot storm fills the default buffer, which holds some 160 packets, in a few milliseconds. Beyond the system's
    /// limit (net.core.rmem_max) only CAP_NET_ADMIN gets; without it the limit is what there is.
    /// </summary>
    public static void EnlargeReceiveBuffer(Socket socket, int bytes)
    {
        socket.ReceiveBufferSize = bytes;
        if (!OperatingSystem.IsLinux())
            return;
        Force(socket, SoReceiveBufferForce, bytes);
    }

    /// <summary>Fixes the send buffer of a socket of Linux, which counts each byte twice; without CAP_NET_ADMIN it stays as it is.</summary>
    public static void ForceSendBuffer(Socket socket, int bytes) => Force(socket, SoSendBufferForce, bytes);

    /// <summary>Elsewhere than on Linux the socket serves every interface, which is right where there is one.</summary>
    public static void BindToInterface(Socket socket, string interfaceName)
    {
        if (OperatingSystem.IsLinux())
            socket.SetRawSocketOption(SolSocket, SoBindToDevice, Encoding.ASCII.GetBytes(interfaceName + "\0"));
    }

    private static void Force(Socket socket, int option, int bytes)
    {
        try
        {
            socket.SetRawSocketOption(SolSocket, option, BitConverter.GetBytes(bytes));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AccessDenied)
        {
            // The callers' documentation says so.
        }
    }
}
