using Slipway.Dhcp.Clients;
using Slipway.Dhcp.Networks;
using Slipway.Dhcp.Server;
using Slipway.Ipxe.Scripts;

namespace Slipway.Server.Boot;

/// <summary>Firmware gets this site's iPXE by TFTP, iPXE gets its script's URL. Registered or not: the script's place refuses.</summary>
internal sealed class SiteBootPolicy : IBootPolicy
{
    private readonly ChainloadPolicy _chain;
    private readonly (byte, ReadOnlyMemory<byte>)[] _trust;

    public SiteBootPolicy(BootPrograms programs, ReadOnlyMemory<byte> fingerprint)
    {
        _trust = [IpxeSettings.Trust(fingerprint)];
        _chain = new ChainloadPolicy(programs.ByPlatform, (client, network) =>
            $"https://{network.ServerAddress}/{FirstStageScript.Path}{client.Hardware.ToString().Replace(':', '-')}");
    }

    public BootDirections? DirectionsFor(DhcpClient client, DhcpNetwork network)
    {
        var directions = _chain.DirectionsFor(client, network);
        // A BIOS iPXE is compressed and cannot be patched: it can only be told whom to trust (docs/security.md).
        return directions is not null && client is { IsIpxe: true, Platform: BootPlatform.Bios }
            ? directions with { Ipxe = [.. directions.Ipxe, .. _trust] }
            : directions;
    }
}
