using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Slipway.Fleet.Boots;
using Slipway.Server.Boot.Programs;
using Slipway.Server.Https;
using Slipway.Server.Machines;
using Slipway.Server.Tests.Net;

namespace Slipway.Server.Tests.Https;

/// <summary>What the server shows and offers in a handshake, by a clock that the test moves.</summary>
public sealed class HttpsEndpointTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private readonly ManualTime _time = new();
    private SiteAuthority _authority = null!;
    private HttpsEndpoint _endpoint = null!;

    private IPEndPoint Address => new(IPAddress.Loopback, _endpoint.Addresses[0].Port);

    public async ValueTask InitializeAsync()
    {
        _authority = SiteAuthority.Open(_folder.Path, "lab", _time);
        var certificate = new ServerCertificate(new IssuedServerCertificates(_authority, [IPAddress.Loopback], "boothost", _time), NullLogger.Instance);
        var machines = new MachineDirectory([], _ => null);
        var programs = new ProgramRequests(new BootPrograms(_folder.Path, _authority.Fingerprint), machines, new BootTimelines(_time), NullLogger.Instance);
        _endpoint = await HttpsEndpoint.StartAsync(
            [new TlsEndPoint(new IPEndPoint(IPAddress.Loopback, 0)), new TlsEndPoint(new IPEndPoint(IPAddress.Loopback, 0), ForFirmware: true)], [], certificate, new Answers(), programs, NullLoggerFactory.Instance, TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _endpoint.DisposeAsync();
        _authority.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task The_certificate_is_renewed_under_a_connection_that_stands()
    {
        using var standing = await ConnectAsync();
        var first = standing.RemoteCertificate!.GetSerialNumberString();
        Assert.Equal("up", await AskAsync(standing));

        _time.Advance(IssuedServerCertificates.Lifetime - IssuedServerCertificates.RenewedBefore - TimeSpan.FromHours(1));
        using (var before = await ConnectAsync())
            Assert.Equal(first, before.RemoteCertificate!.GetSerialNumberString());

        _time.Advance(TimeSpan.FromHours(2));
        using (var after = await ConnectAsync())
        {
            Assert.NotEqual(first, after.RemoteCertificate!.GetSerialNumberString());
            var end = new DateTimeOffset(DateTime.Parse(after.RemoteCertificate.GetExpirationDateString(), null));
            Assert.Equal(IssuedServerCertificates.Lifetime.TotalHours, (end - _time.GetUtcNow()).TotalHours, 1.0);
            Assert.Equal("up", await AskAsync(after));
        }
        Assert.Equal("up", await AskAsync(standing));
    }

    [Fact]
    public void Sslscan_finds_no_old_protocol_and_no_suite_without_forward_secrecy_or_with_CBC()
    {
        var report = XDocument.Parse(Tool.Run("sslscan", "--xml=-", "--no-colour", Address.ToString()).Output);

        var protocols = report.Descendants("protocol").Where(p => (string?)p.Attribute("enabled") == "1").Select(p => (string)p.Attribute("type")! + (string)p.Attribute("version")!);
        Assert.Equal(["tls1.2", "tls1.3"], protocols.Order());
        var suites = report.Descendants("cipher").Select(c => (string)c.Attribute("cipher")!).ToList();
        Assert.NotEmpty(suites);
        Assert.All(suites, suite => Assert.Matches("^(TLS_(AES_128_GCM_SHA256|AES_256_GCM_SHA384|CHACHA20_POLY1305_SHA256)|ECDHE-(RSA|ECDSA)-(AES(128-GCM-SHA256|256-GCM-SHA384)|CHACHA20-POLY1305))$", suite));
        Assert.All(report.Descendants("heartbleed"), h => Assert.Equal("0", (string?)h.Attribute("vulnerable")));
        Assert.All(report.Descendants("compression"), c => Assert.Equal("0", (string?)c.Attribute("supported")));
        // Only the renegotiation that RFC 5746 secures, if any.
        Assert.All(report.Descendants("renegotiation").Where(r => (string?)r.Attribute("supported") == "1"), r => Assert.Equal("1", (string?)r.Attribute("secure")));
    }

    [Fact]
    public void Firmware_that_knows_no_elliptic_curves_is_served_where_it_fetches_its_program_and_nobody_else_falls_back()
    {
        var firmware = _endpoint.Addresses[1];
        string[] edk2 = ["-sS", "--tls-max", "1.2", "--ciphers", "DHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-GCM-SHA256:AES256-SHA",
            "--cacert", Path.Combine(_folder.Path, SiteAuthority.RootFile)];
        Assert.Equal("up", Tool.Run("curl", [.. edk2, new Uri(firmware, "boot/up").ToString()]).Output);
        Assert.NotEqual(0, Tool.Try("curl", [.. edk2, new Uri(_endpoint.Addresses[0], "boot/up").ToString()]).ExitCode);
        var other = Tool.Run("curl", "-sSv", "--tls-max", "1.2", "--ciphers", "AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256",
            "--cacert", Path.Combine(_folder.Path, SiteAuthority.RootFile), new Uri(firmware, "boot/up").ToString()).All;
        Assert.Contains("ECDHE-RSA-AES128-GCM-SHA256", other, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ECDSA key", "-tls1_3")]
    [InlineData("ECDSA key", "-tls1_2")]
    [InlineData("RSA key", "-tls1_2", "-cipher", "ECDHE-RSA-AES256-GCM-SHA384")]
    // What iPXE before 2.0 says of itself, and a client that knows P-256 for the key exchange only.
    [InlineData("RSA key", "-tls1_2", "-sigalgs", "RSA+SHA256:RSA+SHA384:RSA+SHA512", "-curves", "X25519:P-256")]
    [InlineData("RSA key", "-tls1_3", "-sigalgs", "rsa_pss_rsae_sha256:RSA+SHA256")]
    [InlineData("RSA key", "-tls1_2", "-curves", "X25519")]
    public void Who_can_verify_ECDSA_is_shown_an_ECDSA_leaf_and_everybody_else_an_RSA_leaf(string key, params string[] options)
    {
        // It talks for as long as there is something to read.
        var shown = Tool.Run("sh",
            ["-c", "exec openssl \"$@\" < /dev/null", "sh", "s_client", "-connect", Address.ToString(),
                "-CAfile", Path.Combine(_folder.Path, SiteAuthority.RootFile), "-verify_return_error", "-showcerts", .. options]).All;
        Assert.Contains("Verify return code: 0 (ok)", shown, StringComparison.Ordinal);
        Assert.Contains(key.StartsWith("RSA", StringComparison.Ordinal) ? "PKEY: rsaEncryption" : "PKEY: id-ecPublicKey", shown, StringComparison.Ordinal);
    }

    private async Task<SslStream> ConnectAsync()
    {
        var socket = new TcpClient();
        await socket.ConnectAsync(Address, TestContext.Current.CancellationToken);
        using var root = X509CertificateLoader.LoadCertificate(_authority.RootDer.Span);
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            VerificationTime = _time.GetUtcNow().UtcDateTime,
        };
        policy.CustomTrustStore.Add(root);
        var tls = new SslStream(socket.GetStream());
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = "127.0.0.1", AllowTlsResume = false, CertificateChainPolicy = policy }, TestContext.Current.CancellationToken);
        return tls;
    }

    private static async Task<string> AskAsync(SslStream tls)
    {
        await tls.WriteAsync("GET /boot/up HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(tls, Encoding.ASCII, false, 256, leaveOpen: true);
        var length = 0;
        while (await reader.ReadLineAsync(TestContext.Current.CancellationToken) is { Length: > 0 } line)
        {
            if (Regex.Match(line, "^Content-Length: ([0-9]+)$") is { Success: true } header)
                length = int.Parse(header.Groups[1].ValueSpan, null);
        }
        var body = new char[length];
        await reader.ReadBlockAsync(body, TestContext.Current.CancellationToken);
        return new string(body);
    }

    private sealed class Answers : IMachineRequests
    {
        public bool AsksForCertificates => true;

        public void HandshakeDone(IPAddress client, ITlsHandshakeFeature tls)
        {
        }

        public void HandshakeBrokenOff(IPAddress client)
        {
        }

        public Task ScriptAsync(HttpContext context, string mac, string? firmware, string? profile) => context.Response.WriteAsync("script");

        public Task DirectFileAsync(HttpContext context, string mac, string profile, string file) => context.Response.WriteAsync("file");

        public Task UpAsync(HttpContext context)
        {
            context.Response.ContentLength = 2;
            return context.Response.WriteAsync("up");
        }
    }
}
