using System.Net;
using Slipway.Dhcp.Clients;

namespace Slipway.Dhcp.Server;

public enum DhcpEventKind
{
    Offered,
    Acknowledged,

    /// <summary>DHCPNAK: the client must start again.</summary>
    Refused,

    /// <summary>The client says that somebody else uses the address.</summary>
    Declined,

    Released,

    /// <summary>DHCPINFORM was answered.</summary>
    Informed,

    /// <summary>A PXE client was told its boot file; another server gives addresses here.</summary>
    ProxyOffered,

    /// <summary>Not answered; the text says why.</summary>
    Ignored,

    /// <summary>Not a DHCP message; the text says what is wrong with it.</summary>
    Malformed,

    /// <summary>No address is left for the client.</summary>
    Exhausted,

    /// <summary>An address that was to be offered answered a probe.</summary>
    Conflict,

    /// <summary>The client took the offer of another DHCP server.</summary>
    OtherServer,

    /// <summary>Another DHCP server answers on this network, see <see cref="OtherServers"/>.</summary>
    OtherServerHeard,
}

/// <summary>What came of one packet: for logs, metrics and boot timelines.</summary>
public sealed class DhcpEvent
{
    private readonly Func<string, string> _say;

    /// <param name="say">The text, with what the client is called put in; asked for late, or never: in a boot storm hardly anybody does.</param>
    internal DhcpEvent(DhcpEventKind kind, DateTimeOffset time, Func<string, string> say)
    {
        Kind = kind;
        Time = time;
        _say = say;
    }

    public DhcpEventKind Kind { get; }

    public DateTimeOffset Time { get; }

    /// <summary>One line for a person who knows no more than this.</summary>
    public string Text => TextOf($"{Client}");

    /// <summary>The same where the client is called something else.</summary>
    public string TextOf(string client) => _say(client);

    /// <summary>Null only where the packet could not be read.</summary>
    public DhcpClient? Client { get; init; }

    public string? Network { get; init; }

    public IPAddress? Address { get; init; }

    public string? BootFile { get; init; }

    /// <summary>For <see cref="DhcpEventKind.OtherServer"/> and <see cref="DhcpEventKind.OtherServerHeard"/>: which.</summary>
    public IPAddress? Server { get; init; }
}
