using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Slipway.Iscsi.Target;

/// <summary>The address of a portal as targets tell it and operators write it.</summary>
public static class Portal
{
    /// <summary>IANA's port for iSCSI (RFC 7143 §4.2.7.1).</summary>
    public const int DefaultPort = 3260;

    /// <summary>
    /// Reads <c>ADDRESS</c> or <c>ADDRESS:PORT</c>; without a port, the port is 0. False for an address that nobody can
    /// connect to (0.0.0.0, ::), and for what is none.
    /// </summary>
    public static bool TryParseReachable(string text, [NotNullWhen(true)] out IPEndPoint? portal) =>
        IPEndPoint.TryParse(text, out portal) && !portal.Address.Equals(IPAddress.Any) && !portal.Address.Equals(IPAddress.IPv6Any);

    /// <summary>The value of TargetAddress without its tag (RFC 7143 §13.8). A zone means nothing to another host, and is left out.</summary>
    internal static string Text(IPEndPoint portal) =>
        portal.Address is { AddressFamily: System.Net.Sockets.AddressFamily.InterNetworkV6, ScopeId: > 0 } scoped
            ? new IPEndPoint(new IPAddress(scoped.GetAddressBytes()), portal.Port).ToString()
            : portal.ToString();
}
