using System.Net;
using Microsoft.Extensions.Logging;
using Slipway.Iscsi.Target;

namespace Slipway.Server.Iscsi;

public sealed partial class IscsiListener
{
    [LoggerMessage(2201, LogLevel.Information, "iscsi: listening on {Portal}")]
    private partial void LogListening(IPEndPoint portal);

    [LoggerMessage(2202, LogLevel.Warning, "iscsi: accepting failed: {Reason}")]
    private partial void LogAcceptFailed(string reason);

    [LoggerMessage(2203, LogLevel.Warning, "iscsi: {Remote} turned away, {Count} connections are open")]
    private partial void LogFull(IPEndPoint remote, int count);

    [LoggerMessage(2204, LogLevel.Information, "iscsi: {Remote} never named itself: {Reason}")]
    private partial void LogNameless(IPEndPoint remote, string reason);

    [LoggerMessage(2205, LogLevel.Error, "iscsi: {Remote}: the logical unit failed on a command")]
    private partial void LogFault(Exception fault, IPEndPoint remote);

    [LoggerMessage(2206, LogLevel.Information, "iscsi: {Count} connections are asked to log out within {Seconds} s; no other is admitted")]
    private partial void LogDraining(int count, double seconds);

    [LoggerMessage(2207, LogLevel.Warning, "iscsi: {Portal} accepts nobody for now: {Count} of {Limit} file descriptors are in use and the rest is kept; raise the limit (ulimit -n, LimitNOFILE=)")]
    private partial void LogOutOfDescriptors(IPEndPoint portal, long count, long limit);

    /// <summary>Logs what it passes on.</summary>
    private sealed partial class LoggingObserver(ITargetObserver observer, ILogger logger) : ITargetObserver
    {
        public void Observe(TargetEvent e)
        {
            var (initiator, remote, target) = (e.Facts.InitiatorName, e.Facts.Remote, e.Facts.TargetName ?? "discovery");
            switch (e)
            {
                case LoggedIn { Session: var session }:
                    LogLoggedIn(initiator, remote, target, session.Algorithm is { } algorithm ? $"CHAP {algorithm}{(session.Mutual ? ", mutual" : "")}" : "no CHAP");
                    break;
                case Refused { Kind: RefusalKind.Redirected } redirected:
                    LogRedirected(initiator, remote, target, redirected.Reason, (ushort)redirected.Status);
                    break;
                case Refused refused:
                    LogRefused(initiator, remote, target, refused.Reason, refused.Kind, (ushort)refused.Status);
                    break;
                case ConnectionAdded added:
                    LogAdded(initiator, remote, added.Cid, target);
                    break;
                case ConnectionClosed left:
                    LogLeft(initiator, remote, left.Cid, target, left.Reason);
                    break;
                case Closed closed:
                    LogClosed(initiator, remote, target, closed.Reason, closed.BytesRead, closed.BytesWritten);
                    break;
            }
            observer.Observe(e);
        }

        [LoggerMessage(2210, LogLevel.Information, "iscsi: {Initiator} at {Remote} logged in to {Target} ({Authentication})")]
        private partial void LogLoggedIn(string initiator, IPEndPoint remote, string target, string authentication);

        [LoggerMessage(2211, LogLevel.Warning, "iscsi: {Initiator} at {Remote} refused at {Target}: {Reason} ({Kind}, status {Status:x4})")]
        private partial void LogRefused(string initiator, IPEndPoint remote, string target, string reason, RefusalKind kind, ushort status);

        [LoggerMessage(2213, LogLevel.Information, "iscsi: {Initiator} at {Remote} asked for {Target}: {Reason} (status {Status:x4})")]
        private partial void LogRedirected(string initiator, IPEndPoint remote, string target, string reason, ushort status);

        [LoggerMessage(2214, LogLevel.Information, "iscsi: {Initiator} at {Remote} added connection {Cid} to its session with {Target}")]
        private partial void LogAdded(string initiator, IPEndPoint remote, ushort cid, string target);

        [LoggerMessage(2215, LogLevel.Information, "iscsi: {Initiator} at {Remote} lost or closed connection {Cid} to {Target}, and has others: {Reason}")]
        private partial void LogLeft(string initiator, IPEndPoint remote, ushort cid, string target, string reason);

        [LoggerMessage(2212, LogLevel.Information, "iscsi: {Initiator} at {Remote} left {Target}: {Reason} ({BytesRead} bytes read, {BytesWritten} written)")]
        private partial void LogClosed(string initiator, IPEndPoint remote, string target, string reason, long bytesRead, long bytesWritten);
    }
}
