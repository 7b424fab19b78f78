using System.Net;

namespace Slipway.Dhcp.Networks;

/// <summary>One route of option 121 (RFC 3442).</summary>
public sealed record StaticRoute(IPNetwork Destination, IPAddress Router)
{
    /// <summary>Prefix length, the prefix's significant bytes, the router.</summary>
    internal byte[] ToBytes()
    {
        var significant = (Destination.PrefixLength + 7) / 8;
        return [(byte)Destination.PrefixLength, .. Destination.BaseAddress.GetAddressBytes()[..significant], .. Router.GetAddressBytes()];
    }
}
