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

    /// <summary>Another DHCP server answers on this network.</summary>
    OtherServer,
}

/// <summary>What came of one packet: for logs, metrics and boot timelines.</summary>
/// <param name="Text">One line for a person.</param>
public sealed record DhcpEvent(DhcpEventKind Kind, DateTimeOffset Time, string Text)
{
    /// <summary>Null only where the packet could not be read.</summary>
    public DhcpClient? Client { get; init; }

    public string? Network { get; init; }

    public IPAddress? Address { get; init; }

    public string? BootFile { get; init; }

    /// <summary>For <see cref="DhcpEventKind.OtherServer"/>: which.</summary>
    public IPAddress? Server { get; init; }
}
