using System.Net.Sockets;
using System.Text;

namespace Slipway.Server;

/// <summary>What sockets are set up with: Linux options that .NET has no name for, and the end of one that cannot be.</summary>
internal static class SocketOptions
{
    private const int SolSocket = 1;
    private const int SoBindToDevice = 25;
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
        try
        {
            socket.SetRawSocketOption(SolSocket, SoReceiveBufferForce, BitConverter.GetBytes(bytes));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AccessDenied)
        {
            // Documented above: the limit stays.
        }
    }

    /// <summary>Elsewhere than on Linux the socket serves every interface, which is right where there is one.</summary>
    public static void BindToInterface(Socket socket, string interfaceName)
    {
        if (OperatingSystem.IsLinux())
            socket.SetRawSocketOption(SolSocket, SoBindToDevice, Encoding.ASCII.GetBytes(interfaceName + "\0"));
    }
}
