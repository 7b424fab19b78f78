namespace Slipway.Dhcp.Server;

/// <summary>Settings that iPXE takes out of option 175 (iPXE's include/ipxe/dhcp.h).</summary>
public static class IpxeSettings
{
    /// <summary>Do not wait for a proxy's offer: saves two seconds where this server answers everything.</summary>
    public static (byte Code, ReadOnlyMemory<byte> Value) NoProxyDhcp => (176, new byte[] { 1 });

    public static (byte Code, ReadOnlyMemory<byte> Value) KeepSan => (8, new byte[] { 1 });

    /// <summary>SHA-256 of the root certificate. Whoever answers DHCP chooses it, so it protects against mistakes only.</summary>
    public static (byte Code, ReadOnlyMemory<byte> Value) Trust(ReadOnlyMemory<byte> fingerprint) =>
        fingerprint.Length == 32 ? ((byte)90, fingerprint) : throw new ArgumentException("a SHA-256 has 32 bytes", nameof(fingerprint));
}
