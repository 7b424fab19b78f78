namespace Slipway.Dhcp.Server;

/// <summary>Settings that iPXE takes out of option 175 (iPXE's include/ipxe/dhcp.h).</summary>
public static class IpxeSettings
{
    /// <summary>Do not wait for a proxy's offer: saves two seconds where this server answers everything.</summary>
    public static (byte Code, ReadOnlyMemory<byte> Value) NoProxyDhcp => (176, new byte[] { 1 });
}
