using System.Collections.ObjectModel;
using System.Net;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Slipway.Server.Certificates;

namespace Slipway.Server.Https;

/// <summary>
/// Issues certificates in the name of an authority, the site's own or a company's. Leaves have RSA keys, since iPXE before
/// 2.0 knows nothing else, and for servers also ECDSA keys.
/// </summary>
/// <param name="authority">With its key.</param>
/// <param name="chain">From the authority itself to its root, both included.</param>
internal sealed class CertificateIssuer(X509Certificate2 authority, IReadOnlyList<X509Certificate2> chain)
{
    private const int KeyBits = 2048;
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    /// <summary>Extended key usage of clients (RFC 5280 §4.2.1.12).</summary>
    public const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    // A board without a battery starts in the past; iPXE then finds a certificate of today not valid yet.
    private static readonly DateTimeOffset Earliest = new(2010, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>A request for a root that signs itself, for <see cref="Earliest"/> on.</summary>
    public static X509Certificate2 CreateRoot(string name, RSA key, DateTimeOffset end)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request.CreateSelfSigned(Earliest, end);
    }

    /// <summary>Fresh leaves for a server's addresses.</summary>
    /// <param name="end">No leaf is good longer than its authority.</param>
    public ServerContexts CreateServerContexts(IReadOnlyCollection<IPAddress> addresses, string hostName, DateTimeOffset end)
    {
        using var rsa = RSA.Create(KeyBits);
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var name = CommonName(hostName);
        using var rsaLeaf = Sign(ForServer(new(name, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1), X509KeyUsageFlags.KeyEncipherment, addresses, hostName), end);
        using var ecdsaLeaf = Sign(ForServer(new(name, ecdsa, HashAlgorithmName.SHA256), X509KeyUsageFlags.None, addresses, hostName), end);
        return new(ContextOf(rsaLeaf.CopyWithPrivateKey(rsa), chain), ContextOf(ecdsaLeaf.CopyWithPrivateKey(ecdsa), chain));
    }

    /// <summary>A certificate by which a machine proves that it is itself, and its key.</summary>
    public IssuedClientCertificate CreateClientCertificate(string machine, DateTimeOffset end)
    {
        using var rsa = RSA.Create(KeyBits);
        var request = new CertificateRequest(CommonName(machine), rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ClientAuthentication)], false));
        using var signed = Sign(request, end);
        // iPXE reads PKCS#1, the form that its Makefile makes of PRIVKEY=.
        return new IssuedClientCertificate(signed.SerialNumber, signed.NotAfter, signed.ExportCertificatePem() + "\n", rsa.ExportRSAPrivateKeyPem() + "\n");
    }

    /// <summary>A certificate as a server shows it, with everything above it up to the root.</summary>
    public static SslStreamCertificateContext ContextOf(X509Certificate2 withKey, IReadOnlyList<X509Certificate2> chain)
    {
        // A key that lives in memory only cannot be used by SslStream on every system; a PKCS#12 that was loaded can.
        using (withKey)
        {
            var leaf = X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
            var context = SslStreamCertificateContext.Create(leaf, [.. chain], offline: true);
            SendWhole(context, chain);
            return context;
        }
    }

    private X509Certificate2 Sign(CertificateRequest request, DateTimeOffset end)
    {
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, true, false));
        var begin = Earliest < authority.NotBefore ? authority.NotBefore : Earliest;
        using var rsa = authority.GetRSAPrivateKey();
        using var ecdsa = authority.GetECDsaPrivateKey();
        var signature = rsa is not null ? X509SignatureGenerator.CreateForRSA(rsa, RSASignaturePadding.Pkcs1) : X509SignatureGenerator.CreateForECDsa(ecdsa!);
        return request.Create(authority.SubjectName, signature, begin, end < authority.NotAfter ? end : authority.NotAfter, SerialNumber());
    }

    private static CertificateRequest ForServer(CertificateRequest request, X509KeyUsageFlags further, IReadOnlyCollection<IPAddress> addresses, string hostName)
    {
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | further, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerAuthentication)], false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(hostName);
        foreach (var address in addresses.Distinct())
            names.AddIpAddress(address);
        request.CertificateExtensions.Add(names.Build());
        return request;
    }

    private static X500DistinguishedName CommonName(string name)
    {
        var builder = new X500DistinguishedNameBuilder();
        builder.AddCommonName(name);
        return builder.Build();
    }

    // Positive, and not zero (RFC 5280 §4.1.2.2).
    private static byte[] SerialNumber()
    {
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x7F) | 0x40);
        return serial;
    }

    // iPXE holds a fingerprint, not the root: the root has to come with the chain (RFC 8446 §4.4.2 allows it). The
    // framework leaves a self-signed certificate out of what it sends and has no setting for that, so its list is set.
    private static void SendWhole(SslStreamCertificateContext context, IReadOnlyList<X509Certificate2> chain)
    {
        Intermediates(context) = new ReadOnlyCollection<X509Certificate2>([.. chain.Select(c => X509CertificateLoader.LoadCertificate(c.RawData))]);
        if (!context.IntermediateCertificates.Select(c => c.Thumbprint).SequenceEqual(chain.Select(c => c.Thumbprint)))
            throw new PlatformNotSupportedException("this .NET runtime does not let a server send its root certificate: iPXE could not verify it");
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "<IntermediateCertificates>k__BackingField")]
    private static extern ref ReadOnlyCollection<X509Certificate2> Intermediates(SslStreamCertificateContext context);
}
