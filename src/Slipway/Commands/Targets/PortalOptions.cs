using System.CommandLine;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Slipway.Iscsi.Target;

namespace Slipway.Commands.Targets;

/// <summary>Where the target listens, where initiators are told that it is, and who of them is let in.</summary>
internal static class PortalOptions
{
    private static readonly Option<IPEndPoint[]> Portals = new("--portal")
    {
        Description = "ADDRESS[:PORT] to listen on; may be repeated",
        DefaultValueFactory = _ => [new IPEndPoint(IPAddress.Loopback, Portal.DefaultPort)],
        CustomParser = result => TokenValues.Parse(result, text =>
            Portal.TryParse(text, Portal.DefaultPort, out var portal) ? portal : throw new FormatException("it is not ADDRESS or ADDRESS:PORT")),
    };

    private static readonly Option<IPEndPoint[]> Advertise = new("--advertise")
    {
        Description = "ADDRESS[:PORT] that discovery tells, for a target behind NAT; otherwise the address that the initiator asked. May be repeated",
        DefaultValueFactory = _ => [],
        CustomParser = result => TokenValues.Parse(result, Reachable),
    };

    private static readonly Option<string[]> Initiators = new("--allow-initiator")
    {
        Description = "IQN of an initiator that may log in, and no other; may be repeated. Only CHAP proves a name",
        DefaultValueFactory = _ => [],
        CustomParser = result => TokenValues.Parse(result, IscsiNameOf),
    };

    private static readonly Option<IPNetwork[]> Networks = new("--allow-network")
    {
        Description = "ADDRESS/BITS of initiators that may log in, and no others; may be repeated",
        DefaultValueFactory = _ => [],
        CustomParser = result => TokenValues.Parse(result, text => InitiatorAccess.ParseNetwork(text) ?? throw new FormatException("it is not ADDRESS/BITS, like 192.0.2.0/24")),
    };

    private static readonly Option<IPEndPoint> Redirect = new("--redirect")
    {
        Description = "ADDRESS[:PORT] of the portal that every login is sent to instead (login status 0101)",
        CustomParser = result => TokenValues.Parse(result, Reachable) is [var portal] ? portal : null,
    };

    public static IReadOnlyList<Option> All { get; } = [Portals, Advertise, Initiators, Networks, Redirect];

    public static IReadOnlyList<IPEndPoint> ListenOn(ParseResult parsed) => parsed.GetRequiredValue(Portals);

    public static PortalPolicy Policy(ParseResult parsed) => new(
        new InitiatorAccess { Initiators = parsed.GetRequiredValue(Initiators), Networks = parsed.GetRequiredValue(Networks) },
        parsed.GetRequiredValue(Advertise),
        parsed.GetValue(Redirect));

    /// <summary>Where initiators find a target that listens on <paramref name="portals"/>; never 0.0.0.0 or ::.</summary>
    public static IReadOnlyList<IPEndPoint> Reached(IEnumerable<IPEndPoint> portals, PortalPolicy policy) => policy.Advertised.Count > 0
        ? [.. policy.Advertised.SelectMany(a => a.Port > 0 ? [a] : portals.Select(p => new IPEndPoint(a.Address, p.Port))).Distinct()]
        : [.. portals.SelectMany(p => HostAddresses(p.Address).Select(a => new IPEndPoint(a, p.Port))).Distinct()];

    private static IEnumerable<IPAddress> HostAddresses(IPAddress bound)
    {
        var (any4, any6) = (bound.Equals(IPAddress.Any), bound.Equals(IPAddress.IPv6Any));
        if (!any4 && !any6)
            return [bound];
        var all = NetworkInterface.GetAllNetworkInterfaces()
            .Where(i => i.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown)
            .SelectMany(i => i.GetIPProperties().UnicastAddresses.Select(u => u.Address))
            .Where(a => !a.IsIPv6LinkLocal && (any6 || a.AddressFamily == AddressFamily.InterNetwork))
            .ToList();
        return all.Exists(a => !IPAddress.IsLoopback(a)) ? all.Where(a => !IPAddress.IsLoopback(a)) : [any4 ? IPAddress.Loopback : IPAddress.IPv6Loopback];
    }

    /// <exception cref="FormatException">It is none.</exception>
    public static string IscsiNameOf(string text) => IscsiName.IsValid(text) ? text : throw new FormatException($"it is not {IscsiName.Rule}");

    private static IPEndPoint Reachable(string text) =>
        Portal.TryParseReachable(text, out var portal) ? portal : throw new FormatException("it is not ADDRESS or ADDRESS:PORT that initiators can connect to");
}
