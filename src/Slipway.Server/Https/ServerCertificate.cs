using System.Net.Security;
using Microsoft.Extensions.Logging;

namespace Slipway.Server.Https;

/// <summary>
/// The certificates that the server shows, replaced before they end while the server runs. They are looked at when a client
/// comes, not by a timer: a host that slept for months shows a good one to whoever wakes it. Connections that stand keep
/// the one that they began with.
/// </summary>
public sealed partial class ServerCertificate
{
    private readonly Lock _gate = new();
    private readonly ICertificateSource _source;
    private readonly ILogger _logger;
    private volatile ServerContexts _current;
    private string? _complained;

    /// <exception cref="CertificateFileException">The source has none.</exception>
    public ServerCertificate(ICertificateSource source, ILogger logger)
    {
        (_source, _logger) = (source, logger);
        _current = source.Issue();
    }

    /// <summary>For the next handshake.</summary>
    /// <param name="ecdsa">The client can verify ECDSA.</param>
    public SslStreamCertificateContext For(bool ecdsa)
    {
        var contexts = Current;
        return ecdsa && contexts.Ecdsa is { } faster ? faster : contexts.Rsa;
    }

    private ServerContexts Current
    {
        get
        {
            var current = _current;
            if (!_source.IsDue(current))
                return current;
            lock (_gate)
            {
                if (_source.IsDue(_current))
                    Renew();
                return _current;
            }
        }
    }

    private void Renew()
    {
        try
        {
            // The ones before are left to the finalizer: a handshake may be using one.
            _current = _source.Issue();
            _complained = null;
            LogRenewed(_current.Leaf.SerialNumber, _current.Leaf.NotAfter);
        }
        catch (CertificateFileException e)
        {
            // Half of a change may be there: it is tried again at the next handshake, and told once.
            if (e.Message != _complained)
                LogKept(e.Message, _current.Leaf.NotAfter);
            _complained = e.Message;
        }
    }

    [LoggerMessage(LogLevel.Error, "the server's certificate cannot be renewed, the one before stays, until {Until:u}: {Reason}")]
    private partial void LogKept(string reason, DateTime until);

    [LoggerMessage(LogLevel.Information, "the server's certificate was renewed: serial {Serial}, good until {Until:u}")]
    private partial void LogRenewed(string serial, DateTime until);
}
