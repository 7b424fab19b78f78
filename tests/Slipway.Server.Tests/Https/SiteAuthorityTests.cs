using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Slipway.Server.Https;
using Slipway.Server.Tests.Net;

namespace Slipway.Server.Tests.Https;

public sealed class SiteAuthorityTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_authority_is_made_once_and_kept()
    {
        byte[] first;
        using (var made = SiteAuthority.Open(_folder.Path, "lab", TimeProvider.System))
            first = made.Fingerprint;
        using var read = SiteAuthority.Open(_folder.Path, "lab", TimeProvider.System);
        Assert.Equal(first, read.Fingerprint);
        Assert.Equal(first, SHA256.HashData(read.RootDer.Span));
    }

    [Theory]
    [InlineData("ca.key", null, "ca.key is not there, though ")]
    [InlineData("ca.pem", null, "ca.pem is not there, though ")]
    [InlineData("ca.key", "-----BEGIN PRIVATE KEY-----", "cannot be read, or do not belong together")]
    public void What_is_left_of_an_authority_is_not_replaced_by_another(string file, string? content, string reason)
    {
        SiteAuthority.Open(_folder.Path, "lab", TimeProvider.System).Dispose();
        var path = Path.Combine(_folder.Path, file);
        if (content is null)
            File.Delete(path);
        else
            File.WriteAllText(path, content);
        var before = Directory.GetFiles(_folder.Path).Order().Select(File.ReadAllText).ToList();
        Assert.Contains(reason, Assert.Throws<CryptographicException>(() => SiteAuthority.Open(_folder.Path, "lab", TimeProvider.System)).Message, StringComparison.Ordinal);
        Assert.Equal(before, Directory.GetFiles(_folder.Path).Order().Select(File.ReadAllText));
    }

    [Fact]
    public void Its_key_is_for_its_owner_only()
    {
        using var authority = SiteAuthority.Open(_folder.Path, "lab", TimeProvider.System);
        Assert.Equal("600", Tool.Run("stat", "-c", "%a", Path.Combine(_folder.Path, "ca.key")).Output.Trim());
    }

    [Fact]
    public void OpenSSL_accepts_both_leaves_for_every_address()
    {
        using var authority = SiteAuthority.Open(_folder.Path, "lab", TimeProvider.System);
        var contexts = new IssuedServerCertificates(authority, [IPAddress.Parse("10.77.0.1"), IPAddress.Loopback], "boothost", TimeProvider.System).Issue();
        var leaf = Path.Combine(_folder.Path, "leaf.pem");
        foreach (var context in (SslStreamCertificateContext[])[contexts.Rsa, contexts.Ecdsa!])
        {
            File.WriteAllText(leaf, context.TargetCertificate.ExportCertificatePem());
            foreach (var name in (string[])["-verify_ip 10.77.0.1", "-verify_ip 127.0.0.1", "-verify_hostname boothost"])
            {
                var output = Tool.Run("openssl",
                    ["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", Path.Combine(_folder.Path, SiteAuthority.RootFile), .. name.Split(' '), leaf]).All;
                Assert.Contains("OK", output, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void What_iPXE_sees_is_RSA_and_valid_for_a_clock_of_long_ago()
    {
        using var authority = SiteAuthority.Open(_folder.Path, "lab", TimeProvider.System);
        var contexts = new IssuedServerCertificates(authority, [IPAddress.Loopback], "boothost", TimeProvider.System).Issue();
        using var root = X509CertificateLoader.LoadCertificate(authority.RootDer.Span);
        foreach (var certificate in (X509Certificate2[])[contexts.Rsa.TargetCertificate, root])
        {
            Assert.Equal(2048, certificate.GetRSAPublicKey()!.KeySize);
            Assert.Equal("1.2.840.113549.1.1.11", certificate.SignatureAlgorithm.Value);
            Assert.True(certificate.NotBefore < new DateTime(2011, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        }
        Assert.Equal(256, contexts.Ecdsa!.TargetCertificate.GetECDsaPublicKey()!.KeySize);
    }

    [Fact]
    public void The_chain_that_is_sent_includes_the_root()
    {
        using var authority = SiteAuthority.Open(_folder.Path, "lab", TimeProvider.System);
        var contexts = new IssuedServerCertificates(authority, [IPAddress.Loopback], "boothost", TimeProvider.System).Issue();
        foreach (var context in (SslStreamCertificateContext[])[contexts.Rsa, contexts.Ecdsa!])
            Assert.Equal(authority.Fingerprint, SHA256.HashData(Assert.Single(context.IntermediateCertificates).RawData));
    }
}
