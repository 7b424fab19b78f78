using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using Slipway.Fleet.Boots;
using Slipway.Fleet.Machines;
using Slipway.Fleet.Store;
using Slipway.Server.Api;
using Slipway.Server.Boot;
using Slipway.Server.Boot.Programs;
using Slipway.Server.Certificates;
using Slipway.Server.Disks;
using Slipway.Server.Https;
using Slipway.Server.Machines;
using Slipway.Server.Site;
using Slipway.Server.Site.Yaml;
using Slipway.Server.Tests.Net;

namespace Slipway.Server.Tests.Certificates;

/// <summary>curl with client certificates that the API issues, from addresses that say otherwise or nothing.</summary>
public sealed class ClientCertificateTests : IAsyncLifetime
{
    private const string First = "52-54-00-77-00-01", Strict = "52-54-00-77-00-02", New = "52-54-00-77-00-09";
    private const string Nobody = "127.0.0.14";

    private static readonly Dictionary<string, MacAddress> Leases = new()
    {
        ["127.0.0.11"] = MacAddress.Parse(First), ["127.0.0.12"] = MacAddress.Parse(Strict), ["127.0.0.13"] = MacAddress.Parse(New),
    };

    private readonly TemporaryFolder _folder = new();
    private readonly ManualTime _time = new();
    private readonly LogLines _log = new();
    private BootTimelines _timelines = null!;
    private SiteAuthority _authority = null!;
    private FleetStore _store = null!;
    private MachineDirectory _directory = null!;
    private MachineRegistry _registry = null!;
    private CertificateRequests _certificates = null!;
    private HttpsEndpoint _endpoint = null!;

    public async ValueTask InitializeAsync()
    {
        _timelines = new BootTimelines(_time);
        var site = SiteFile.Parse(new StringReader($"""
            state: {_folder.Path}
            https:
              client-certificates: optional
            machines:
              - name: node-1
                mac: {First}
                volume: {Disk("node-1")}
              - name: node-2
                mac: {Strict}
                volume: {Disk("node-2")}
                client-certificate: required
            """), Path.Combine(_folder.Path, "slipway.yaml"));
        _authority = SiteAuthority.Open(_folder.Path, "lab", _time);
        _store = FleetStore.Open(Path.Combine(_folder.Path, "slipway.db"));
        var targets = new MachineTargets([]);
        _directory = new MachineDirectory(site.Machines, a => Leases.TryGetValue(a.ToString(), out var mac) ? mac : null);
        _registry = new MachineRegistry(new CurrentSite(site), _directory, new MachineDisks(new CurrentSite(site), targets, _store, _timelines, NullLogger.Instance),
            new MachineSightings(_store), _store, _timelines, _time, NullLogger.Instance);
        await _registry.OpenAsync(TestContext.Current.CancellationToken);
        var certificates = new ClientCertificates(_authority, _store, site.ClientCertificates, _time);
        _certificates = new CertificateRequests(certificates, _directory, _registry);
        var requests = new BootRequests(new CurrentSite(site), _directory, new BootRequesters(_directory, targets, _timelines, _registry, certificates, _log),
            _store, _timelines, 3260, _ => Task.CompletedTask, _log);
        var programs = new ProgramRequests(new BootPrograms(_folder.Path, _authority.Fingerprint), _directory, _timelines, NullLogger.Instance);
        _endpoint = await HttpsEndpoint.StartAsync([new TlsEndPoint(new IPEndPoint(IPAddress.Loopback, 0))], [],
            new ServerCertificate(new IssuedServerCertificates(_authority, [IPAddress.Loopback], "boothost", _time), NullLogger.Instance),
            requests, programs, NullLoggerFactory.Instance, TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _endpoint.DisposeAsync();
        await _registry.DisposeAsync();
        _store.Dispose();
        _authority.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("127.0.0.11", "1.2")]
    [InlineData("127.0.0.12", "1.2")]
    [InlineData("127.0.0.12", "1.3")]
    [InlineData(Nobody, "1.3")]
    public void Whoever_shows_a_machines_certificate_is_that_machine_whatever_the_address(string from, string tls)
    {
        Issue("node-1", "one");
        var script = Curl(from, $"boot/{New}/ibft", "one", "--tls-max", tls);
        Assert.Contains("iqn.2026-11.internal.slipway:lab:node-1".Replace("lab", "site", StringComparison.Ordinal), script, StringComparison.Ordinal);
        Assert.NotNull(_store.CredentialsOf("node-1"));
    }

    [Fact]
    public void A_machine_whose_certificate_is_required_gets_nothing_without_it()
    {
        Assert.EndsWith("403", Curl("127.0.0.12", $"boot/{Strict}/ibft"), StringComparison.Ordinal);
        Assert.Null(_store.CredentialsOf("node-2"));
        Assert.Contains("boots with its client certificate only", _timelines.Of(MacAddress.Parse(Strict))!.Refusal!.Text, StringComparison.Ordinal);
        Assert.Contains("password", Curl("127.0.0.11", $"boot/{First}/ibft"), StringComparison.Ordinal);

        Issue("node-2", "two");
        Assert.Contains("password", Curl("127.0.0.12", $"boot/{Strict}/ibft", "two"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_that_was_revoked_or_that_ended_is_refused_and_the_log_says_which()
    {
        var revoked = Issue("node-2", "revoked");
        Issue("node-2", "short", days: 10);
        await RevokeAsync(revoked.Serial);
        Assert.EndsWith("403", Curl("127.0.0.12", $"boot/{Strict}/ibft", "revoked"), StringComparison.Ordinal);
        Assert.Contains(_log.All, m => m.Contains(revoked.Serial, StringComparison.Ordinal) && m.Contains("of node-2 was revoked at", StringComparison.Ordinal));

        Assert.Contains("password", Curl("127.0.0.12", $"boot/{Strict}/ibft", "short"), StringComparison.Ordinal);
        _time.Advance(TimeSpan.FromDays(11));
        Assert.EndsWith("403", Curl("127.0.0.12", $"boot/{Strict}/ibft", "short"), StringComparison.Ordinal);
        Assert.Contains(_log.All, m => m.Contains("CN=node-2) ended at", StringComparison.Ordinal));
    }

    [Fact]
    public void Certificates_of_others_and_of_other_purposes_are_refused()
    {
        using var folder = new TemporaryFolder();
        using var stranger = SiteAuthority.Open(folder.Path, "site", _time);
        var foreign = stranger.CreateClientCertificate("node-1", TimeSpan.FromDays(10), _time);
        Keep("foreign", foreign.CertificatePem, foreign.KeyPem);
        Assert.EndsWith("403", Curl("127.0.0.11", $"boot/{First}/ibft", "foreign"), StringComparison.Ordinal);
        Assert.Contains(_log.All, m => m.Contains("was not issued by this site's authority", StringComparison.Ordinal));

        // The site's own, which the database does not have.
        var unlisted = _authority.CreateClientCertificate("node-1", TimeSpan.FromDays(10), _time);
        Keep("unlisted", unlisted.CertificatePem, unlisted.KeyPem);
        Assert.EndsWith("403", Curl("127.0.0.11", $"boot/{First}/ibft", "unlisted"), StringComparison.Ordinal);
        Assert.Contains(_log.All, m => m.Contains("is not listed here", StringComparison.Ordinal));

        // curl will not show a server's certificate: what would be said of it all the same.
        var server = new IssuedServerCertificates(_authority, [IPAddress.Loopback], "node-1", _time).Issue().Rsa.TargetCertificate;
        Assert.Equal("is not a client's certificate", _authority.ReasonAgainst(server, _time.GetUtcNow()));
        Assert.Null(_store.CredentialsOf("node-1"));
    }

    [Fact]
    public async Task A_certificate_approves_a_machine_which_then_needs_it_until_it_is_removed()
    {
        Assert.Contains("there is no machine node-9", Refusal("node-9"), StringComparison.Ordinal);
        Assert.Contains("is approved already", Refusal("node-1", Disk("another")), StringComparison.Ordinal);
        Issue("node-9", "nine", Disk("node-9"));
        Assert.Contains("is not approved yet", Curl("127.0.0.13", $"boot/{New}/ibft"), StringComparison.Ordinal);

        Assert.Contains(":node-9", Curl("127.0.0.13", $"boot/{New}/ibft", "nine"), StringComparison.Ordinal);
        Assert.Equal("node-9", _directory.Find(MacAddress.Parse(New))!.Name);
        Assert.StartsWith("the client certificate ", _registry.Registrations()[MacAddress.Parse(New)].ApprovedBy, StringComparison.Ordinal);
        Assert.EndsWith("403", Curl("127.0.0.13", $"boot/{New}/ibft"), StringComparison.Ordinal);

        await _registry.RemoveAsync(MacAddress.Parse(New), TestContext.Current.CancellationToken);
        Assert.EndsWith("403", Curl("127.0.0.13", $"boot/{New}/ibft", "nine"), StringComparison.Ordinal);
        Assert.Null(_directory.Find(MacAddress.Parse(New)));
    }

    [Fact]
    public void A_certificate_does_not_make_one_machine_another()
    {
        Issue("node-9", "nine", Disk("node-9"));
        // The network card is node-1's, and stays it.
        Assert.EndsWith("403", Curl("127.0.0.11", $"boot/{First}/ibft", "nine"), StringComparison.Ordinal);
        Assert.Contains(_log.All, m => m.Contains("is approved already, as node-1", StringComparison.Ordinal));
        Assert.Equal("node-1", _directory.Find(MacAddress.Parse(First))!.Name);
    }

    [Fact]
    public async Task On_a_connection_that_stands_a_certificate_is_refused_as_well_when_it_was_revoked()
    {
        var issued = Issue("node-2", "kept");
        using var certificate = X509Certificate2.CreateFromPem(issued.Certificate, issued.Key);
        using var root = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(_folder.Path, SiteAuthority.RootFile));
        var connections = 0;
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (context, cancellation) =>
            {
                connections++;
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(context.DnsEndPoint, cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        handler.SslOptions.ClientCertificates = [certificate];
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { root }, RevocationMode = X509RevocationMode.NoCheck };
        using var http = new HttpClient(handler) { BaseAddress = _endpoint.Addresses.Single() };
        Assert.Equal(HttpStatusCode.OK, await StatusAsync());

        var revocation = await RevokeAsync(issued.Serial);
        Assert.Equal(("node-2", false, (string?)null), (revocation.Machine, revocation.Ended, revocation.Boots));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync());
        Assert.Equal(1, connections);
        Assert.NotNull(_store.CredentialsOf("node-2"));
        Assert.True((await RevokeAsync(issued.Serial, endSessions: true)).Ended);
        Assert.Null(_store.CredentialsOf("node-2"));

        async Task<HttpStatusCode> StatusAsync() => (await http.GetAsync(new Uri($"boot/{Strict}/ibft", UriKind.Relative), TestContext.Current.CancellationToken)).StatusCode;
    }

    [Fact]
    public async Task How_a_machine_can_boot_without_a_revoked_certificate_is_told()
    {
        Assert.Equal("without a certificate, by its address", (await RevokeAsync(Issue("node-1", "one").Serial)).Boots);
        var (lost, kept) = (Issue("node-2", "lost"), Issue("node-2", "kept"));
        Assert.Equal($"by the certificate {kept.Serial}", (await RevokeAsync(lost.Serial)).Boots);
    }

    private async Task<RevocationView> RevokeAsync(string serial, bool endSessions = false) =>
        ((Microsoft.AspNetCore.Http.HttpResults.Ok<RevocationView>)(await _certificates.RevokeAsync(serial, new RevocationRequest(endSessions), TestContext.Current.CancellationToken)).Result).Value!;

    private IssuedCertificateView Issue(string name, string file, string? volume = null, int? days = null)
    {
        var issued = ((Microsoft.AspNetCore.Http.HttpResults.Ok<IssuedCertificateView>)_certificates.Issue(Request(name, volume, days)).Result).Value!;
        Keep(file, issued.Certificate, issued.Key);
        return issued;
    }

    private string Refusal(string name, string? volume = null) =>
        ((Microsoft.AspNetCore.Http.HttpResults.ProblemHttpResult)_certificates.Issue(Request(name, volume, null)).Result).ProblemDetails.Detail!;

    private static ClientCertificateRequest Request(string name, string? volume, int? days) => new(new ApprovalRequest(name, volume, null, null, null, null), days);

    private void Keep(string file, string certificate, string key)
    {
        File.WriteAllText(Path.Combine(_folder.Path, file + ".crt"), certificate);
        File.WriteAllText(Path.Combine(_folder.Path, file + ".key"), key);
    }

    private string Disk(string name)
    {
        var path = Path.Combine(_folder.Path, name + ".raw");
        File.WriteAllBytes(path, new byte[1 << 20]);
        return path;
    }

    /// <summary>What the server answers, with the status at its end.</summary>
    private string Curl(string from, string path, string? identity = null, params string[] options) => Tool.Run("curl",
        ["-sS", "-k", "--interface", from, "-w", "%{http_code}", .. options,
            .. identity is null ? Array.Empty<string>() : ["--cert", Path.Combine(_folder.Path, identity + ".crt"), "--key", Path.Combine(_folder.Path, identity + ".key")],
            new Uri(_endpoint.Addresses.Single(), path).ToString()]).Output;
}
