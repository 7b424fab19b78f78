using Microsoft.Extensions.Logging;
using Slipway.Dhcp.Server;

namespace Slipway.Server.Dhcp;

/// <summary>What an operator is told of DHCP, of either version.</summary>
internal static class DhcpEventLevel
{
    public static LogLevel Of(DhcpEventKind kind) => kind switch
    {
        DhcpEventKind.Exhausted or DhcpEventKind.Declined or DhcpEventKind.OtherServer or DhcpEventKind.Malformed => LogLevel.Warning,
        // An offer is no lease yet, and what a boot was offered is in its timeline.
        DhcpEventKind.Ignored or DhcpEventKind.Offered => LogLevel.Debug,
        _ => LogLevel.Information,
    };
}
