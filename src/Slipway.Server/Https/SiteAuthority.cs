using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Slipway.Server.Certificates;

namespace Slipway.Server.Https;

/// <summary>
/// The site's own certificate authority, made at the first start and kept: machines trust its fingerprint, and it issues
/// their certificates. RSA with SHA-256, since iPXE before 2.0 knows nothing else.
/// </summary>
public sealed class SiteAuthority : IDisposable
{
    /// <summary>Under the state folder: the root, for whoever has to trust it.</summary>
    public const string RootFile = "ca.pem";

    internal const string KeyFile = "ca.key";
    private const int KeyBits = 2048;

    private readonly X509Certificate2 _root;

    private SiteAuthority(X509Certificate2 root) => (_root, Issuer) = (root, new CertificateIssuer(root, [root]));

    internal CertificateIssuer Issuer { get; }

    /// <summary>The root certificate's DER; its SHA-256 is what iPXE trusts.</summary>
    public ReadOnlyMemory<byte> RootDer => _root.RawDataMemory;

    public byte[] Fingerprint => SHA256.HashData(_root.RawDataMemory.Span);

    /// <summary>Reads the authority from the state folder, or makes it there where there is nothing of it.</summary>
    /// <exception cref="CryptographicException">A file is damaged or missing: another authority in its place would be one that no machine trusts.</exception>
    public static SiteAuthority Open(string state, string site, TimeProvider clock)
    {
        var (certificate, key) = (Path.Combine(state, RootFile), Path.Combine(state, KeyFile));
        if (File.Exists(key) != File.Exists(certificate))
        {
            var (missing, left) = File.Exists(key) ? (certificate, key) : (key, certificate);
            throw new CryptographicException($"{missing} is not there, though {left} is");
        }
        if (File.Exists(key))
            return new SiteAuthority(Read(certificate, key));

        using var rsa = RSA.Create(KeyBits);
        var root = CertificateIssuer.CreateRoot($"CN=Slipway {site} root CA", rsa, clock.GetUtcNow().AddYears(20));
        File.WriteAllText(certificate, root.ExportCertificatePem() + "\n");
        // The key last, and whole or not at all: its presence says that the authority is complete.
        WriteSecret(key, rsa.ExportPkcs8PrivateKeyPem() + "\n");
        return new SiteAuthority(root);
    }

    /// <summary>A certificate by which a machine proves that it is itself, and its key.</summary>
    /// <param name="lifetime">From now on; no longer than the authority's own.</param>
    internal IssuedClientCertificate CreateClientCertificate(string machine, TimeSpan lifetime, TimeProvider clock) =>
        Issuer.CreateClientCertificate(machine, clock.GetUtcNow() + lifetime);

    /// <summary>What speaks against a client's certificate; null where this authority issued it for a client and it is still good.</summary>
    internal string? ReasonAgainst(X509Certificate2 client, DateTimeOffset now)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(_root);
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(CertificateIssuer.ClientAuthentication));
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        // What a stranger's certificate names is not fetched.
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTime = now.UtcDateTime;
        if (chain.Build(client))
            return null;
        var status = chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, s) => all | s.Status);
        return status switch
        {
            X509ChainStatusFlags.NotTimeValid => $"ended at {client.NotAfter.ToUniversalTime():u}",
            _ when (status & (X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.NotSignatureValid)) != 0 => "was not issued by this site's authority",
            X509ChainStatusFlags.NotValidForUsage => "is not a client's certificate",
            _ => $"is not good: {string.Join(", ", chain.ChainStatus.Select(s => s.StatusInformation.Trim()))}",
        };
    }

    public void Dispose() => _root.Dispose();

    private static X509Certificate2 Read(string certificate, string key)
    {
        try
        {
            return X509Certificate2.CreateFromPemFile(certificate, key);
        }
        catch (CryptographicException e)
        {
            throw new CryptographicException($"{certificate} and {key} cannot be read, or do not belong together: {e.Message}", e);
        }
    }

    private static void WriteSecret(string path, string text)
    {
        var temporary = path + ".new";
        File.Delete(temporary);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var file = new FileStream(temporary, options))
        {
            file.Write(System.Text.Encoding.ASCII.GetBytes(text));
            file.Flush(true);
        }
        File.Move(temporary, path, true);
    }
}
