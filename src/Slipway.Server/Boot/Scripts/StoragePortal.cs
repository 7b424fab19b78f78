using System.Net;
using System.Net.Sockets;
using Slipway.Server.Site;

namespace Slipway.Server.Boot.Scripts;

/// <summary>Where a machine finds its disk.</summary>
/// <param name="Network">The storage network that it is on; null: the network that the machine boots on.</param>
public sealed record StoragePortal(IPEndPoint EndPoint, NetworkSettings? Network = null)
{
    public bool IsIpv6 => EndPoint.AddressFamily == AddressFamily.InterNetworkV6;

    /// <summary>The address as URIs have it: an IPv6 one in brackets.</summary>
    public string Host => IsIpv6 ? $"[{EndPoint.Address}]" : EndPoint.Address.ToString();

    /// <summary>On each of the site's storage networks, or, where it has none, beside the script.</summary>
    /// <param name="reached">The server's address at which the machine asks for its script.</param>
    public static IReadOnlyList<StoragePortal> Of(SiteConfiguration site, IPAddress reached, int port) =>
        site.StorageNetworks.Any()
            ? [.. site.StorageNetworks.Select(n => new StoragePortal(new IPEndPoint(n.Address, port), n))]
            : [new StoragePortal(new IPEndPoint(reached, port))];
}
