using System.Net;
using Slipway.Dhcp.Clients;
using Slipway.Dhcp.Networks;
using Slipway.Dhcp.Server;
using Slipway.Ipxe.Scripts;

namespace Slipway.Server.Boot.Programs;

/// <summary>Firmware gets this site's iPXE by TFTP or HTTP, iPXE gets its script's URL. Registered or not: the script's place refuses.</summary>
internal sealed class SiteBootPolicy : IBootPolicy
{
    private readonly ChainloadPolicy _chain;
    private readonly BootPrograms _programs;
    private readonly IReadOnlyList<IPAddress> _storage;

    /// <param name="httpBase">Where firmware that boots by HTTP finds the programs.</param>
    /// <param name="storage">This server's addresses on storage networks, which give addresses and nothing to boot.</param>
    public SiteBootPolicy(BootPrograms programs, Func<DhcpNetwork, string> httpBase, IReadOnlyList<IPAddress> storage)
    {
        _storage = storage;
        _programs = programs;
        _chain = new ChainloadPolicy(platform => programs.ByPlatform.GetValueOrDefault(platform), (client, network) =>
            $"https://{network.ServerAddress}/{FirstStageScript.Path}{client.Hardware.ToString().Replace(':', '-')}")
        {
            HttpBase = httpBase,
        };
    }

    public BootDirections? DirectionsFor(DhcpClient client, DhcpNetwork network)
    {
        if (_storage.Contains(network.ServerAddress))
            return null;
        // The iPXE in a network card's ROM often has no HTTPS, and says only "Operation not supported" to its URL. It can
        // fetch one that has.
        return client is { IsIpxe: true, IpxeFeatures.Present: true } && !client.IpxeFeatures.Has(IpxeFeatures.Https)
            && _programs.ByPlatform.TryGetValue(client.Platform, out var better)
            ? new BootDirections { FileName = better }
            : _chain.DirectionsFor(client, network);
    }
}
