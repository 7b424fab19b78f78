using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Slipway.Server.Https;

/// <summary>Where the server's certificates come from.</summary>
public interface ICertificateSource
{
    /// <summary>SHA-256 of the root's DER: what iPXE trusts.</summary>
    byte[] RootFingerprint { get; }

    /// <summary>Certificates that are good from now on.</summary>
    /// <exception cref="CertificateFileException">There are none; those that are shown stay.</exception>
    ServerContexts Issue();

    /// <summary>Whether it is time to ask for others.</summary>
    bool IsDue(ServerContexts current);
}

/// <summary>What the server shows, each with the chain that goes with it.</summary>
/// <param name="Rsa">For every client, or for those that cannot verify the other one.</param>
/// <param name="Ecdsa">For clients that say that they can verify it; null where there is none.</param>
public sealed record ServerContexts(SslStreamCertificateContext Rsa, SslStreamCertificateContext? Ecdsa)
{
    internal X509Certificate2 Leaf => Rsa.TargetCertificate;
}

/// <summary>The files with the site's certificate cannot be used; the message says why, and what to do.</summary>
public sealed class CertificateFileException : Exception
{
    public CertificateFileException(string message)
        : base(message)
    {
    }

    public CertificateFileException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public CertificateFileException()
    {
    }
}
