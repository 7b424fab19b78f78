using Slipway.Dhcp.Clients;
using Slipway.Dhcp.V6.Server;
using Slipway.Dhcp.Wire;
using Slipway.Ipxe.Scripts;
using Slipway.Server.Site;

namespace Slipway.Server.Boot.Programs;

/// <summary>What <see cref="SiteBootPolicy"/> is to DHCPv4: firmware gets this site's iPXE by TFTP or HTTP, iPXE gets its script's URL.</summary>
internal sealed class SiteBootUrls(BootPrograms programs, SiteConfiguration site) : IBootUrls
{
    public string? UrlFor(DhcpClient client, Dhcp6Network network)
    {
        var host = $"[{network.ServerAddress}]";
        return client.Kind switch
        {
            // iPXE fills in its own address where its messages do not show it.
            ClientKind.Ipxe => $"https://{host}/{FirstStageScript.Path}{(client.Hardware is { Type: HardwareAddress.Ethernet, Length: 6 } mac ? mac.ToString().Replace(':', '-') : IpxeScript.Setting("mac", "hexhyp"))}",
            ClientKind.Firmware when programs.ByPlatform.TryGetValue(client.Platform, out var file) => $"tftp://{host}/{file}",
            ClientKind.HttpFirmware when programs.ByPlatform.TryGetValue(client.Platform, out var file) => $"{site.BootSchemeAt(network.ServerAddress)}://{host}{ProgramRequests.Path}{file}",
            _ => null,
        };
    }
}
