using System.Net;
using Slipway.Dhcp.Clients;
using Slipway.Dhcp.Leases;
using Slipway.Dhcp.Networks;
using Slipway.Dhcp.Wire;

namespace Slipway.Dhcp.Server;

/// <summary>One request and what is known around it.</summary>
internal sealed record Exchange(DhcpMessage Request, DhcpClient Client, LeaseTable Table, Arrival Arrival, IBootPolicy Policy, DateTimeOffset Now)
{
    public DhcpNetwork Network => Table.Network;

    public ReplyBuilder Reply(MessageType type) => new ReplyBuilder(Request, Client, Network, Arrival).Begin(type);

    public BootDirections? Directions() => Client.Kind == ClientKind.Host ? null : Policy.DirectionsFor(Client, Network);

    public DhcpOutcome Outcome(DhcpEventKind kind, Func<string, string> text, IPAddress? address = null, string? bootFile = null, IPAddress? server = null) =>
        new(new DhcpEvent(kind, Now, text)
        {
            Client = Client,
            Network = Network.Name,
            Address = address,
            BootFile = bootFile,
            Server = server,
        });

    public DhcpOutcome Ignored(string why) => Outcome(DhcpEventKind.Ignored, who => $"{who} not answered: {why}");

    /// <summary>Whether a message names this server (RFC 5107's override counts as this one).</summary>
    public bool NamesThisServer(IPAddress server) =>
        server.Equals(Network.ServerAddress) || server.Equals(Client.Relay?.ServerIdentifierOverride);
}
