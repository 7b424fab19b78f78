using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Slipway.Server.Https;
using Slipway.Server.Site;
using Slipway.Server.Tests.Net;

namespace Slipway.Server.Tests.Https;

/// <summary>A company's root, its authority for this site, and its certificates for this server, all made by OpenSSL.</summary>
public sealed class CertificateFilesTests : IClassFixture<CertificateFilesTests.Company>, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ManualTime _time = new();

    public CertificateFilesTests(Company company)
    {
        // What OpenSSL issues begins now.
        _time.Advance(DateTimeOffset.UtcNow.AddHours(1) - _time.GetUtcNow());
        foreach (var file in Directory.EnumerateFiles(company.Folder))
            File.Copy(file, File_(Path.GetFileName(file)));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_companys_authority_issues_both_leaves_and_all_that_is_above_is_sent()
    {
        var source = Open(["site"], "site", "root");
        var contexts = source.Issue();
        Assert.Equal(SHA256.HashData(X509CertificateLoader.LoadCertificateFromFile(File_("root.pem")).RawData), source.RootFingerprint);
        Assert.Empty(source.Concerns);
        foreach (var context in new[] { contexts.Rsa, contexts.Ecdsa! })
        {
            Assert.Equal(["CN=site", "CN=root"], context.IntermediateCertificates.Select(c => c.Subject));
            File.WriteAllText(File_("leaf.pem"), context.TargetCertificate.ExportCertificatePem());
            Assert.Contains("OK", Tool.Run("openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_ip", "127.0.0.1",
                "-CAfile", File_("root.pem"), "-untrusted", File_("site.pem"), File_("leaf.pem")).All, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_certificate_of_the_servers_own_is_shown_as_it_is()
    {
        var contexts = Open(["server", "site", "root"], "server").Issue();
        Assert.Equal("CN=server", contexts.Leaf.Subject);
        Assert.Equal(["CN=site", "CN=root"], contexts.Rsa.IntermediateCertificates.Select(c => c.Subject));
        Assert.Null(contexts.Ecdsa);
    }

    [Fact]
    public void Files_that_change_are_read_anew_and_what_is_wrong_changes_nothing()
    {
        var log = new LogLines();
        var certificate = new ServerCertificate(Open(["server", "site", "root"], "server"), log);
        var first = certificate.For(ecdsa: true).TargetCertificate.SerialNumber;
        Assert.Equal(first, certificate.For(ecdsa: false).TargetCertificate.SerialNumber);

        // The certificate is there and its key is not: nothing changes, and one line says so.
        File.Copy(File_("server.key"), File_("old.key"));
        Issue("server", "site", "basicConstraints=critical,CA:FALSE", "subjectAltName=IP:127.0.0.1", "extendedKeyUsage=serverAuth");
        File.Move(File_("server.key"), File_("new.key"));
        File.Move(File_("old.key"), File_("server.key"));
        Write(["server", "site", "root"]);
        Assert.Equal(first, certificate.For(ecdsa: false).TargetCertificate.SerialNumber);
        Assert.Equal(first, certificate.For(ecdsa: false).TargetCertificate.SerialNumber);
        Assert.Contains("is not that of CN=server", Assert.Single(log.All), StringComparison.Ordinal);

        File.Move(File_("new.key"), File_("server.key"), overwrite: true);
        var second = certificate.For(ecdsa: false).TargetCertificate.SerialNumber;
        Assert.NotEqual(first, second);
        Assert.Equal(X509CertificateLoader.LoadCertificateFromFile(File_("server.pem")).SerialNumber, second);
    }

    [Fact]
    public void An_authoritys_leaves_are_renewed_before_they_end()
    {
        var certificate = new ServerCertificate(Open(["site", "root"], "site"), new LogLines());
        var first = certificate.For(ecdsa: false).TargetCertificate.SerialNumber;
        _time.Advance(TimeSpan.FromDays(59));
        Assert.Equal(first, certificate.For(ecdsa: false).TargetCertificate.SerialNumber);
        _time.Advance(TimeSpan.FromDays(2));
        Assert.NotEqual(first, certificate.For(ecdsa: false).TargetCertificate.SerialNumber);
    }

    [Fact]
    public void What_cannot_be_used_is_said_with_what_to_do()
    {
        Assert.Contains("has no certificate of CN=root, which issued that of CN=site: add it", Refusal(["site"], "site"), StringComparison.Ordinal);
        Assert.Contains("is not that of CN=site", Refusal(["site", "root"], "root"), StringComparison.Ordinal);
        Assert.Contains("Could not find file", Refusal(["site", "root"], "nothing"), StringComparison.Ordinal);
        Assert.Contains("is not for 10.77.0.1, where machines ask this server: it needs IP:10.77.0.1", Refusal(["server", "site", "root"], "server", "10.77.0.1"), StringComparison.Ordinal);

        Tool.Run("openssl", "pkey", "-in", File_("site.key"), "-aes256", "-passout", "pass:secret", "-out", File_("locked.key"));
        Assert.Contains("is encrypted", Refusal(["site", "root"], "locked"), StringComparison.Ordinal);

        Issue("self", null, "basicConstraints=critical,CA:FALSE", "subjectAltName=IP:127.0.0.1");
        Assert.Contains("is no certificate authority", Refusal(["self"], "self"), StringComparison.Ordinal);
        Issue("under", "server", "basicConstraints=critical,CA:FALSE", "subjectAltName=IP:127.0.0.1");
        Assert.Contains("CN=server is no certificate authority", Refusal(["under", "server", "site", "root"], "under"), StringComparison.Ordinal);
        // An authority below one with pathlen:0 may not issue.
        Issue("deep", "site", "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign");
        Assert.Contains("no client would accept this server", Refusal(["deep", "site", "root"], "deep"), StringComparison.Ordinal);
        Issue("narrow", "root", "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign", "nameConstraints=critical,permitted;IP:127.0.0.0/255.0.0.0");
        Assert.Contains("which iPXE does not know", Refusal(["narrow", "root"], "narrow"), StringComparison.Ordinal);

        File.WriteAllText(File_("empty.pem"), "nothing\n");
        Assert.Contains("has no certificate in PEM", Refusal(["empty"], "site"), StringComparison.Ordinal);
        _time.Advance(TimeSpan.FromDays(4000));
        Assert.Contains("ended at", Refusal(["site", "root"], "site"), StringComparison.Ordinal);
    }

    private CertificateFiles Open(string[] certificates, string key, string? root = null, string address = "127.0.0.1")
    {
        Write(certificates);
        return CertificateFiles.Open(
            new CertificateFileSettings(File_("given.pem"), File_(key + ".key"), root is null ? null : File_(root + ".pem")), [IPAddress.Parse(address)], "boothost", _time);
    }

    private string Refusal(string[] certificates, string key, string address = "127.0.0.1") =>
        Assert.Throws<CertificateFileException>(() => Open(certificates, key, address: address)).Message;

    private void Write(string[] certificates) => File.WriteAllText(File_("given.pem"), string.Concat(certificates.Select(c => File.ReadAllText(File_(c + ".pem")))));

    private string File_(string name) => Path.Combine(_folder.Path, name);

    private void Issue(string name, string? by, params string[] extensions) => Make(_folder.Path, name, by, extensions);

    private static void Make(string folder, string name, string? by, params string[] extensions) => Tool.Run("openssl",
        ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", "3000", "-subj", $"/CN={name}",
            "-keyout", Path.Combine(folder, name + ".key"), "-out", Path.Combine(folder, name + ".pem"), "-config", Path.Combine(folder, "openssl.cnf"),
            .. by is null ? Array.Empty<string>() : ["-CA", Path.Combine(folder, by + ".pem"), "-CAkey", Path.Combine(folder, by + ".key")],
            .. extensions.SelectMany(e => new[] { "-addext", e })]);

    /// <summary>What all tests begin with: keys take their time.</summary>
    public sealed class Company : IDisposable
    {
        private readonly TemporaryFolder _folder = new();

        public Company()
        {
            // Without a configuration OpenSSL adds CA:TRUE of its own.
            File.WriteAllText(Path.Combine(Folder, "openssl.cnf"), "[req]\ndistinguished_name = name\n[name]\n");
            Make(Folder, "root", null, "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign");
            Make(Folder, "site", "root", "basicConstraints=critical,CA:TRUE,pathlen:0", "keyUsage=critical,keyCertSign");
            Make(Folder, "server", "site", "basicConstraints=critical,CA:FALSE", "subjectAltName=IP:127.0.0.1", "extendedKeyUsage=serverAuth");
        }

        public string Folder => _folder.Path;

        public void Dispose() => _folder.Dispose();
    }
}
