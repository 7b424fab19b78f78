using System.Net.Security;
using Microsoft.Extensions.Logging;

namespace Slipway.Server.Https;

/// <summary>
/// The certificate that the server shows, replaced before it ends while the server runs. It is looked at when a client
/// comes, not by a timer: a host that slept for months shows a good one to whoever wakes it. Connections that stand keep
/// the one that they began with.
/// </summary>
public sealed partial class ServerCertificate
{
    /// <summary>How long before its end a certificate is replaced.</summary>
    public static readonly TimeSpan RenewedBefore = TimeSpan.FromDays(30);

    private readonly Lock _gate = new();
    private readonly Func<SslStreamCertificateContext> _issue;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private volatile State _state;

    /// <param name="issue">Makes a certificate that is valid from now on (<see cref="SiteAuthority.CreateServerContext"/>).</param>
    public ServerCertificate(Func<SslStreamCertificateContext> issue, TimeProvider clock, ILogger logger)
    {
        (_issue, _clock, _logger) = (issue, clock, logger);
        _state = Issue();
    }

    /// <summary>For the next handshake.</summary>
    public SslStreamCertificateContext Current
    {
        get
        {
            var state = _state;
            if (_clock.GetUtcNow() < state.RenewAt)
                return state.Context;
            lock (_gate)
            {
                if (_clock.GetUtcNow() >= _state.RenewAt)
                {
                    // The one before is left to the finalizer: a handshake may be using it.
                    _state = Issue();
                    LogRenewed(_state.Context.TargetCertificate.SerialNumber, _state.Context.TargetCertificate.NotAfter);
                }
                return _state.Context;
            }
        }
    }

    private State Issue()
    {
        var context = _issue();
        var (now, end) = (_clock.GetUtcNow(), new DateTimeOffset(context.TargetCertificate.NotAfter));
        // An authority in its last month gives no longer ones: then once a day, not at every handshake.
        var tomorrow = now.AddDays(1);
        return new State(context, end - RenewedBefore > tomorrow ? end - RenewedBefore : tomorrow);
    }

    [LoggerMessage(LogLevel.Information, "the server's certificate was renewed: serial {Serial}, good until {Until:u}")]
    private partial void LogRenewed(string serial, DateTime until);

    private sealed record State(SslStreamCertificateContext Context, DateTimeOffset RenewAt);
}
