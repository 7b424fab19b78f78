using System.Net;
using Microsoft.Extensions.Logging;
using Slipway.Dhcp.Server;

namespace Slipway.Server.Dhcp;

public sealed partial class DhcpListener
{
    private void Log(DhcpEvent e)
    {
        switch (DhcpEventLevel.Of(e.Kind))
        {
            case LogLevel.Warning:
                LogWarning(_interface, e.Text);
                break;
            case LogLevel.Debug when _logger.IsEnabled(LogLevel.Debug):
                LogDetail(_interface, e.Text);
                break;
            case LogLevel.Information when _logger.IsEnabled(LogLevel.Information):
                LogAnswered(_interface, e.Text);
                break;
        }
    }

    [LoggerMessage(2001, LogLevel.Information, "dhcp {Interface}: {Text}")]
    private partial void LogAnswered(string @interface, string text);

    [LoggerMessage(2002, LogLevel.Debug, "dhcp {Interface}: {Text}")]
    private partial void LogDetail(string @interface, string text);

    [LoggerMessage(2003, LogLevel.Warning, "dhcp {Interface}: {Text}")]
    private partial void LogWarning(string @interface, string text);

    [LoggerMessage(2004, LogLevel.Warning, "dhcp {Interface}: {Text}")]
    private partial void LogConflict(string @interface, string text);

    [LoggerMessage(2005, LogLevel.Error, "dhcp {Interface}: {Count} answers withheld, the leases could not be stored: {Reason}")]
    private partial void LogCommitFailed(string @interface, int count, string reason);

    [LoggerMessage(2006, LogLevel.Warning, "dhcp {Interface}: the answer to {Address} could not be sent: {Reason}")]
    private partial void LogSendFailed(string @interface, IPAddress address, string reason);

    [LoggerMessage(2007, LogLevel.Warning, "dhcp {Interface}: receiving failed: {Reason}")]
    private partial void LogReceiveFailed(string @interface, string reason);

    [LoggerMessage(2008, LogLevel.Information, "dhcp {Interface}: no packet socket here, answers to new clients are broadcast")]
    private partial void LogBroadcastOnly(string @interface);
}
