using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Slipway.Server.Site;

namespace Slipway.Server.Https;

/// <summary>
/// The server's certificates from files that a company gave: its authority for this site, which then issues the server's
/// leaves, or the server's own certificate. The files are looked at again when they change, while the server runs; where
/// what is new cannot be used, what was there stays.
/// </summary>
internal sealed class CertificateFiles : ICertificateSource
{
    // What iPXE understands (crypto/x509.c); where another is critical it refuses the certificate (ipxe.org/3c16e283).
    private static readonly string[] KnownExtensions = ["2.5.29.19", "2.5.29.15", "2.5.29.37", "1.3.6.1.5.5.7.1.1", "2.5.29.17"];

    private readonly CertificateFileSettings _files;
    private readonly IReadOnlyCollection<IPAddress> _addresses;
    private readonly string _hostName;
    private readonly TimeProvider _clock;
    private (DateTime, DateTime, DateTime) _read;
    private DateTimeOffset _renewAt;

    private CertificateFiles(CertificateFileSettings files, IReadOnlyCollection<IPAddress> addresses, string hostName, TimeProvider clock) =>
        (_files, _addresses, _hostName, _clock) = (files, addresses, hostName, clock);

    public byte[] RootFingerprint { get; private set; } = [];

    /// <summary>What works, but not with every iPXE, or not for long.</summary>
    public IReadOnlyList<string> Concerns { get; private set; } = [];

    /// <exception cref="CertificateFileException">The files cannot be used; the message says what to do.</exception>
    public static CertificateFiles Open(CertificateFileSettings files, IReadOnlyCollection<IPAddress> addresses, string hostName, TimeProvider clock)
    {
        var source = new CertificateFiles(files, addresses, hostName, clock);
        var chain = source.ReadChain();
        source.RootFingerprint = SHA256.HashData(chain[^1].RawData);
        source.Concerns = [.. source.ConcernsOf(chain)];
        source.Issue();
        return source;
    }

    public bool IsDue(ServerContexts current) => _clock.GetUtcNow() >= _renewAt || Times() != _read;

    public ServerContexts Issue()
    {
        var times = Times();
        var chain = ReadChain();
        if (!SHA256.HashData(chain[^1].RawData).AsSpan().SequenceEqual(RootFingerprint))
            throw new CertificateFileException($"{_files.Certificate} leads to another root than before ({chain[^1].Subject}): machines were told the old one; start the server anew");
        using var key = ReadKey(chain[0]);
        var contexts = IsAuthority(chain[0])
            ? new CertificateIssuer(key, chain).CreateServerContexts(_addresses, _hostName, _clock.GetUtcNow() + IssuedServerCertificates.Lifetime)
            : new ServerContexts(CertificateIssuer.ContextOf(key, [.. chain.Skip(1)]), null);
        CheckWhatClientsSee(contexts, chain);
        _renewAt = IsAuthority(chain[0]) ? IssuedServerCertificates.RenewalOf(contexts, _clock.GetUtcNow()) : DateTimeOffset.MaxValue;
        _read = times;
        return contexts;
    }

    /// <summary>The certificates from the first of the file to a root, each signed by the next.</summary>
    private List<X509Certificate2> ReadChain()
    {
        var certificates = ReadCertificates(_files.Certificate);
        if (_files.Root is { } root)
            certificates.AddRange(ReadCertificates(root));
        var chain = new List<X509Certificate2> { certificates[0] };
        while (chain[^1].Subject != chain[^1].Issuer)
        {
            var (below, above) = (chain[^1], certificates.Find(c => c.SubjectName.RawData.AsSpan().SequenceEqual(chain[^1].IssuerName.RawData)));
            if (above is null || chain.Contains(above))
                throw new CertificateFileException($"{_files.Certificate} has no certificate of {below.Issuer}, which issued that of {below.Subject}: add it to the file, or name its file as https.root");
            chain.Add(above);
        }
        foreach (var certificate in chain)
        {
            if (_clock.GetUtcNow() >= certificate.NotAfter)
                throw new CertificateFileException($"the certificate of {certificate.Subject} ended at {certificate.NotAfter.ToUniversalTime():u}: put a new one into {_files.Certificate}");
            if (_clock.GetUtcNow() < certificate.NotBefore)
                throw new CertificateFileException($"the certificate of {certificate.Subject} begins at {certificate.NotBefore.ToUniversalTime():u} only: is this host's clock right?");
            if (certificate != chain[0] && !IsAuthority(certificate))
                throw new CertificateFileException($"{certificate.Subject} is no certificate authority (CA:TRUE), and cannot have issued the others of {_files.Certificate}");
            if (certificate.Extensions.FirstOrDefault(e => e.Critical && !KnownExtensions.Contains(e.Oid?.Value)) is { } unknown)
                throw new CertificateFileException($"the certificate of {certificate.Subject} has the critical extension {unknown.Oid?.FriendlyName ?? unknown.Oid?.Value}, which iPXE does not know: it would refuse every connection. Ask for one without");
        }
        if (chain.Count == 1 && !IsAuthority(chain[0]))
            throw new CertificateFileException($"{chain[0].Subject} signed its own certificate in {_files.Certificate}, but is no certificate authority (CA:TRUE): iPXE trusts nothing by it");
        return chain;
    }

    private X509Certificate2 ReadKey(X509Certificate2 certificate)
    {
        var text = ReadText(_files.Key);
        if (text.Contains("ENCRYPTED", StringComparison.Ordinal))
            throw new CertificateFileException($"the key in {_files.Key} is encrypted, and a server that starts by itself has nobody to ask: openssl pkey -in {_files.Key} -out PLAIN, readable by its owner only");
        try
        {
            return X509Certificate2.CreateFromPem(certificate.ExportCertificatePem(), text);
        }
        catch (ArgumentException e)
        {
            throw new CertificateFileException($"the key in {_files.Key} is not that of {certificate.Subject}, the first certificate in {_files.Certificate}", e);
        }
        catch (CryptographicException e)
        {
            throw new CertificateFileException($"the key in {_files.Key} is not that of {certificate.Subject}, or no key in PEM: {e.Message}", e);
        }
    }

    // By the framework's own rules: signatures, path lengths, uses; and the addresses that machines will ask.
    private void CheckWhatClientsSee(ServerContexts contexts, List<X509Certificate2> chain)
    {
        using var verifier = new X509Chain();
        verifier.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        verifier.ChainPolicy.CustomTrustStore.Add(chain[^1]);
        verifier.ChainPolicy.ExtraStore.AddRange(chain.ToArray());
        verifier.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.1"));
        verifier.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        verifier.ChainPolicy.DisableCertificateDownloads = true;
        verifier.ChainPolicy.VerificationTime = _clock.GetUtcNow().UtcDateTime;
        if (!verifier.Build(contexts.Leaf))
            throw new CertificateFileException($"with {_files.Certificate} no client would accept this server: {string.Join("; ", verifier.ChainStatus.Select(s => s.StatusInformation.Trim()).Distinct())}");
        if (_addresses.FirstOrDefault(a => !contexts.Leaf.MatchesHostname(a.ToString())) is { } missing)
            throw new CertificateFileException($"the certificate in {_files.Certificate} is not for {missing}, where machines ask this server: it needs IP:{missing} among its alternative names");
    }

    private IEnumerable<string> ConcernsOf(List<X509Certificate2> chain)
    {
        if (chain.Find(c => c.GetRSAPublicKey() is null) is { } modern)
            yield return $"{modern.Subject} has no RSA key: iPXE before 2.0 cannot verify it";
        foreach (var certificate in chain.Where(c => c.NotAfter - _clock.GetUtcNow() < IssuedServerCertificates.RenewedBefore))
            yield return $"{certificate.Subject} ends at {certificate.NotAfter.ToUniversalTime():u}";
    }

    private static bool IsAuthority(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509BasicConstraintsExtension>().Any(e => e.CertificateAuthority)
        && !certificate.Extensions.OfType<X509KeyUsageExtension>().Any(e => !e.KeyUsages.HasFlag(X509KeyUsageFlags.KeyCertSign));

    private static List<X509Certificate2> ReadCertificates(string path)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(ReadText(path));
        }
        catch (CryptographicException e)
        {
            throw new CertificateFileException($"a certificate in {path} is damaged: {e.Message}", e);
        }
        return certificates.Count > 0 ? [.. certificates] : throw new CertificateFileException($"{path} has no certificate in PEM (-----BEGIN CERTIFICATE-----)");
    }

    private static string ReadText(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CertificateFileException(e.Message, e);
        }
    }

    // A file that is not there has the time of 1601.
    private (DateTime Certificate, DateTime Key, DateTime Root) Times() => (
        File.GetLastWriteTimeUtc(_files.Certificate), File.GetLastWriteTimeUtc(_files.Key), _files.Root is { } root ? File.GetLastWriteTimeUtc(root) : default);
}
