using System.Collections.ObjectModel;
using System.Net;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Slipway.Server.Certificates;

namespace Slipway.Server.Https;

/// <summary>
/// The site's own certificate authority, made at the first start and kept: machines trust its fingerprint. The server's
/// leaf is made anew at each start and while it runs. RSA with SHA-256 throughout, since iPXE before 2.0 knows nothing else.
/// </summary>
public sealed class SiteAuthority : IDisposable
{
    /// <summary>Under the state folder: the root, for whoever has to trust it.</summary>
    public const string RootFile = "ca.pem";

    private const string KeyFile = "ca.key";
    private const int KeyBits = 2048;
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1", ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    /// <summary>How long a leaf is good, counted from when it is made.</summary>
    public static readonly TimeSpan LeafLifetime = TimeSpan.FromDays(90);

    // A board without a battery starts in the past; iPXE then finds a certificate of today not valid yet.
    private static readonly DateTimeOffset NotBefore = new(2010, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly X509Certificate2 _root;

    private SiteAuthority(X509Certificate2 root) => _root = root;

    /// <summary>The root certificate's DER; its SHA-256 is what iPXE trusts.</summary>
    public ReadOnlyMemory<byte> RootDer => _root.RawDataMemory;

    public byte[] Fingerprint => SHA256.HashData(_root.RawDataMemory.Span);

    /// <summary>Reads the authority from the state folder, or makes it there.</summary>
    /// <exception cref="CryptographicException">A file is damaged.</exception>
    public static SiteAuthority Open(string state, string site, TimeProvider clock)
    {
        var (certificate, key) = (Path.Combine(state, RootFile), Path.Combine(state, KeyFile));
        if (File.Exists(key))
            return new SiteAuthority(X509Certificate2.CreateFromPemFile(certificate, key));

        using var rsa = RSA.Create(KeyBits);
        var request = new CertificateRequest($"CN=Slipway {site} root CA", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var root = request.CreateSelfSigned(NotBefore, clock.GetUtcNow().AddYears(20));
        File.WriteAllText(certificate, root.ExportCertificatePem() + "\n");
        // The key last, and whole or not at all: its presence says that the authority is complete.
        WriteSecret(key, rsa.ExportPkcs8PrivateKeyPem() + "\n");
        return new SiteAuthority(root);
    }

    /// <summary>A fresh leaf for the server's addresses, with the chain that clients need: leaf and root.</summary>
    public SslStreamCertificateContext CreateServerContext(IEnumerable<IPAddress> addresses, string hostName, TimeProvider clock)
    {
        using var rsa = RSA.Create(KeyBits);
        var request = new CertificateRequest($"CN={hostName}", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerAuthentication)], false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_root, true, false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(hostName);
        foreach (var address in addresses.Distinct())
            names.AddIpAddress(address);
        request.CertificateExtensions.Add(names.Build());
        using var signed = request.Create(_root, NotBefore, Earlier(clock.GetUtcNow() + LeafLifetime, _root.NotAfter), SerialNumber());
        // A key that lives in memory only cannot be used by SslStream on every system; a PKCS#12 that was loaded can.
        using var withKey = signed.CopyWithPrivateKey(rsa);
        var leaf = X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
        var context = SslStreamCertificateContext.Create(leaf, [_root], offline: true);
        SendRoot(context, X509CertificateLoader.LoadCertificate(_root.RawData));
        return context;
    }

    /// <summary>A certificate by which a machine proves that it is itself, and its key.</summary>
    /// <param name="lifetime">From now on; no longer than the authority's own.</param>
    internal IssuedClientCertificate CreateClientCertificate(string machine, TimeSpan lifetime, TimeProvider clock)
    {
        using var rsa = RSA.Create(KeyBits);
        var name = new X500DistinguishedNameBuilder();
        name.AddCommonName(machine);
        var request = new CertificateRequest(name.Build(), rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ClientAuthentication)], false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_root, true, false));
        using var signed = request.Create(_root, NotBefore, Earlier(clock.GetUtcNow() + lifetime, _root.NotAfter), SerialNumber());
        // iPXE reads PKCS#1, the form that its Makefile makes of PRIVKEY=.
        return new IssuedClientCertificate(signed.SerialNumber, signed.NotAfter, signed.ExportCertificatePem() + "\n", rsa.ExportRSAPrivateKeyPem() + "\n");
    }

    /// <summary>What speaks against a client's certificate; null where this authority issued it for a client and it is still good.</summary>
    internal string? ReasonAgainst(X509Certificate2 client, DateTimeOffset now)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(_root);
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ClientAuthentication));
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

    // iPXE holds a fingerprint, not the root: the root has to come with the chain (RFC 8446 §4.4.2 allows it). The
    // framework leaves a self-signed certificate out of what it sends and has no setting for that, so its list is set.
    private static void SendRoot(SslStreamCertificateContext context, X509Certificate2 root)
    {
        Intermediates(context) = new ReadOnlyCollection<X509Certificate2>([root]);
        if (context.IntermediateCertificates is not [var sent] || !sent.RawDataMemory.Span.SequenceEqual(root.RawDataMemory.Span))
            throw new PlatformNotSupportedException("this .NET runtime does not let a server send its root certificate: iPXE could not verify it");
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "<IntermediateCertificates>k__BackingField")]
    private static extern ref ReadOnlyCollection<X509Certificate2> Intermediates(SslStreamCertificateContext context);

    // Positive, and not zero (RFC 5280 §4.1.2.2).
    private static byte[] SerialNumber()
    {
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x7F) | 0x40);
        return serial;
    }

    private static DateTimeOffset Earlier(DateTimeOffset a, DateTime b) => a < b ? a : b;

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
