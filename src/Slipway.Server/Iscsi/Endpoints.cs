using System.Net;

namespace Slipway.Server.Iscsi;

/// <summary>The ends of a connection as people write them.</summary>
internal static class Endpoints
{
    /// <summary>An IPv4 address that came by a dual-stack socket, as an IPv4 address.</summary>
    public static IPEndPoint Plain(EndPoint? endpoint)
    {
        var ip = (IPEndPoint)endpoint!;
        return ip.Address.IsIPv4MappedToIPv6 ? new(ip.Address.MapToIPv4(), ip.Port) : ip;
    }
}
