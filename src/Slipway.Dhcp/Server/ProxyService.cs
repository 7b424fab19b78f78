using System.Net;
using Slipway.Dhcp.Clients;
using Slipway.Dhcp.Networks;
using Slipway.Dhcp.Wire;

namespace Slipway.Dhcp.Server;

/// <summary>
/// ProxyDHCP (PXE 2.1 §2.2.3): beside a server that gives addresses, an offer without one that names the boot file. Some
/// clients take the file from it; others ask again on port 4011, also behind an authoritative server of ours. UEFI HTTP Boot
/// takes its URI the same way (UEFI 2.10 §24.7.3).
/// </summary>
internal sealed class ProxyService(Exchange exchange)
{
    public DhcpOutcome Answer()
    {
        var request = exchange.Request;
        var onBootServerPort = exchange.Arrival.LocalPort == DhcpServer.BootServerPort;
        if (!exchange.Client.SpeaksPxe && exchange.Client.Kind != ClientKind.HttpFirmware)
            return exchange.Ignored("only PXE and HTTP boot clients are answered here");
        if (!onBootServerPort && exchange.Network.Mode == NetworkMode.Proxy && request.Type == MessageType.Request)
            return exchange.Ignored("its address is another server's business");
        if (request.Type != MessageType.Discover && !(onBootServerPort && request.Type is MessageType.Request or MessageType.Inform))
            return exchange.Ignored($"{request.Type} is another server's business");
        if (exchange.Directions() is not { } directions)
            return exchange.Ignored("there is no boot file for it");

        var reply = exchange.Reply(request.Type == MessageType.Discover ? MessageType.Offer : MessageType.Ack).ProxyBoot(directions);
        return exchange.Outcome(DhcpEventKind.ProxyOffered, who => $"{who} told to boot {directions.FileName}", bootFile: directions.FileName) with
        {
            Reply = onBootServerPort && !exchange.Arrival.Source.Equals(IPAddress.Any) ? reply.ToSource() : reply.ToClient(),
        };
    }
}
