using Slipway.Dhcp.Clients;

namespace Slipway.Dhcp.V6.Server;

/// <summary>Decides what a client boots. Asked on every answer, so it must be quick and must not block.</summary>
public interface IBootUrls
{
    /// <summary>A URL with an address in brackets (RFC 5970 §3.1: no name that a machine had to resolve); null for nothing.</summary>
    string? UrlFor(DhcpClient client, Dhcp6Network network);
}
