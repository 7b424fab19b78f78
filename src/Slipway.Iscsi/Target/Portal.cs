using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace Slipway.Iscsi.Target;

/// <summary>The address of a portal as targets tell it and operators write it.</summary>
public static class Portal
{
    /// <summary>IANA's port for iSCSI (RFC 7143 §4.2.7.1).</summary>
    public const int DefaultPort = 3260;

    /// <summary>Reads <c>ADDRESS</c> or <c>ADDRESS:PORT</c>, in which an IPv6 address stands in brackets.</summary>
    /// <param name="port">The port where the text has none.</param>
    public static bool TryParse(string text, int port, [NotNullWhen(true)] out IPEndPoint? portal)
    {
        if (!IPEndPoint.TryParse(text, out portal))
            return false;
        var isIPv4 = portal.AddressFamily == AddressFamily.InterNetwork;
        // "3261" is 0.0.12.189 to .NET; who writes that means something else.
        if (isIPv4 && text.Count(c => c == '.') != 3)
            return false;
        if (!text.Contains(isIPv4 ? ":" : "]:", StringComparison.Ordinal))
            portal.Port = port;
        return true;
    }

    /// <summary>
    /// Reads <c>ADDRESS</c> or <c>ADDRESS:PORT</c>; without a port, the port is 0. False for an address that nobody can
    /// connect to (0.0.0.0, ::), and for what is none.
    /// </summary>
    public static bool TryParseReachable(string text, [NotNullWhen(true)] out IPEndPoint? portal) =>
        TryParse(text, 0, out portal) && !portal.Address.Equals(IPAddress.Any) && !portal.Address.Equals(IPAddress.IPv6Any);

    /// <summary>The value of TargetAddress without its tag (RFC 7143 §13.8). A zone means nothing to another host, and is left out.</summary>
    internal static string Text(IPEndPoint portal) =>
        portal.Address is { AddressFamily: AddressFamily.InterNetworkV6, ScopeId: > 0 } scoped
            ? new IPEndPoint(new IPAddress(scoped.GetAddressBytes()), portal.Port).ToString()
            : portal.ToString();
}
