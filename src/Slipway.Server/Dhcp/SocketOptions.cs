using System.Net.Sockets;
using System.Text;

namespace Slipway.Server.Dhcp;

/// <summary>Linux socket options that .NET has no name for.</summary>
internal static class SocketOptions
{
    private const int SolSocket = 1;
    private const int SoBindToDevice = 25;

    /// <summary>Elsewhere than on Linux the socket serves every interface, which is right where there is one.</summary>
    public static void BindToInterface(Socket socket, string interfaceName)
    {
        if (OperatingSystem.IsLinux())
            socket.SetRawSocketOption(SolSocket, SoBindToDevice, Encoding.ASCII.GetBytes(interfaceName + "\0"));
    }
}
