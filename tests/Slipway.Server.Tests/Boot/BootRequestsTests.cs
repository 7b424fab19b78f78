using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Slipway.Fleet.Boots;
using Slipway.Fleet.Machines;
using Slipway.Fleet.Store;
using Slipway.Server.Boot;
using Slipway.Server.Boot.Programs;
using Slipway.Server.Certificates;
using Slipway.Server.Disks;
using Slipway.Server.Https;
using Slipway.Server.Machines;
using Slipway.Server.Site;
using Slipway.Server.Tests.Boot.Programs;
using Slipway.Server.Tests.Net;

namespace Slipway.Server.Tests.Boot;

/// <summary>curl as two machines, told apart by the loopback addresses that they come from.</summary>
public sealed class BootRequestsTests : IAsyncLifetime
{
    private const string Known = "52-54-00-77-00-01", Other = "52-54-00-77-00-02", Unregistered = "52-54-00-77-00-03";
    private const string Program = TrustingProgram.Name;
    private static readonly MacAddress KnownMac = MacAddress.Parse(Known), UnregisteredMac = MacAddress.Parse(Unregistered);

    private static readonly Dictionary<string, MacAddress> Leases = new()
    {
        ["127.0.0.11"] = KnownMac, ["127.0.0.12"] = MacAddress.Parse(Other), ["127.0.0.13"] = UnregisteredMac,
    };

    private readonly TemporaryFolder _folder = new();
    private readonly BootTimelines _timelines = new(TimeProvider.System);
    private readonly List<string> _ended = [];
    private SiteAuthority _authority = null!;
    private FleetStore _store = null!;
    private readonly List<MachineDisk> _disks = [];
    private HttpsEndpoint _endpoint = null!;
    private byte[] _program = [];

    public async ValueTask InitializeAsync()
    {
        var site = new SiteConfiguration { Name = "lab", State = _folder.Path, Machines = [Machine("node-1", Known), Machine("node-2", Other)] };
        _authority = SiteAuthority.Open(_folder.Path, "lab", TimeProvider.System);
        _store = FleetStore.Open(Path.Combine(_folder.Path, "slipway.db"));
        var targets = new MachineTargets([]);
        foreach (var machine in site.Machines)
        {
            _disks.Add(await MachineDisk.OpenAsync(machine, site, _timelines, null, TestContext.Current.CancellationToken));
            targets.Add(_disks[^1]);
        }
        var machines = new MachineDirectory(site.Machines, a => Leases.TryGetValue(a.ToString(), out var mac) ? mac : null);
        var requesters = new BootRequesters(machines, targets, _timelines, new NoApprovals(),
            new ClientCertificates(_authority, _store, ClientCertificateUse.Optional, TimeProvider.System), NullLogger.Instance);
        var requests = new BootRequests(new CurrentSite(site), machines, requesters, _store, _timelines, 3260, disk =>
        {
            _ended.Add(disk.Machine.Name);
            return Task.CompletedTask;
        }, NullLogger.Instance);
        _program = TrustingProgram.For(_authority.Fingerprint, 100_000);
        await File.WriteAllBytesAsync(Path.Combine(_folder.Path, Program), _program);
        var programs = new ProgramRequests(new BootPrograms(_folder.Path, _authority.Fingerprint), machines, _timelines, NullLogger.Instance);
        _endpoint = await HttpsEndpoint.StartAsync([new TlsEndPoint(new IPEndPoint(IPAddress.Loopback, 0))], [new IPEndPoint(IPAddress.Loopback, 0)],
            new ServerCertificate(new IssuedServerCertificates(_authority, [IPAddress.Loopback], "boothost", TimeProvider.System), NullLogger.Instance),
            requests, programs, NullLoggerFactory.Instance, TestContext.Current.CancellationToken);
        // A run begins with DHCP.
        foreach (var mac in Leases.Values)
            _timelines.Observe(mac, machines.NameOf(mac), BootStage.Dhcp, "offered", starts: true);
    }

    public async ValueTask DisposeAsync()
    {
        await _endpoint.DisposeAsync();
        foreach (var disk in _disks)
            await disk.DisposeAsync();
        _store.Dispose();
        _authority.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_machine_gets_its_own_script_with_fresh_secrets()
    {
        var first = Curl("127.0.0.11", $"boot/{Known}/ibft").Output;
        var second = Curl("127.0.0.11", $"boot/{Known}/ibft").Output;

        Assert.StartsWith("#!ipxe\n", first, StringComparison.Ordinal);
        Assert.Contains("sanboot", first, StringComparison.Ordinal);
        Assert.Contains("iqn.2026-11.internal.slipway:lab:node-1", first, StringComparison.Ordinal);
        Assert.DoesNotContain("node-2", first, StringComparison.Ordinal);
        Assert.NotEqual(Secret(first), Secret(second));
        Assert.Equal(Secret(second), _store.CredentialsOf("node-1")!.Secret);
        Assert.Equal(BootStage.Script, _timelines.Of(KnownMac)!.Stage);
        Assert.Equal(["node-1", "node-1"], _ended);
    }

    [Fact]
    public void A_machine_is_asked_for_its_firmware_before_it_is_given_a_secret()
    {
        var question = Curl("127.0.0.11", $"boot/{Known}").Output;
        Assert.Contains($"chain --replace {Known}/uboot", question, StringComparison.Ordinal);
        Assert.Contains($"chain --replace {Known}/ibft", question, StringComparison.Ordinal);
        Assert.DoesNotContain("password", question, StringComparison.Ordinal);
        Assert.Null(_store.CredentialsOf("node-1"));
        Assert.Empty(_ended);

        Assert.Contains("sanboot --no-describe", Curl("127.0.0.11", $"boot/{Known}/uboot").Output, StringComparison.Ordinal);
        Assert.DoesNotContain("--no-describe", Curl("127.0.0.11", $"boot/{Known}/ibft").Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Firmware_that_boots_by_HTTP_or_HTTPS_learns_the_size_and_fetches_the_program_whole_or_in_ranges()
    {
        Assert.Contains($"Content-Length: {_program.Length}\r\n", Http($"firmware/{Program}", "--head").Output, StringComparison.OrdinalIgnoreCase);
        var file = Path.Combine(_folder.Path, "got");
        Http($"firmware/{Program}", "-o", file);
        Assert.Equal(_program, File.ReadAllBytes(file));
        Assert.Equal("206", Http($"firmware/{Program}", "-r", "5-1004", "-o", file, "-w", "%{http_code}").Output);
        Assert.Equal(_program[5..1005], File.ReadAllBytes(file));
        Assert.Equal("416", Http($"firmware/{Program}", "-r", "200000-", "-o", file, "-w", "%{http_code}").Output);
        // A download that broke off goes on where it was.
        File.WriteAllBytes(file, _program[..70_000]);
        Http($"firmware/{Program}", "-C", "-", "-o", file);
        Assert.Equal(_program, File.ReadAllBytes(file));
        Assert.Equal(BootStage.Tftp, _timelines.Of(KnownMac)!.Stage);
        Assert.Contains(_timelines.Of(KnownMac)!.Events, e => e.Text == $"fetches {Program}, 100,000 bytes by HTTP");
        Assert.Equal("206", Curl("127.0.0.11", $"firmware/{Program}", "-r", "-1000", "-o", file, "-w", "%{http_code}").Output);
        Assert.Equal(_program[^1000..], File.ReadAllBytes(file));
    }

    [Theory]
    [InlineData($"boot/{Known}/ibft", "403")]
    [InlineData("boot/up", "403")]
    [InlineData("firmware/../boot/up", "403")]
    [InlineData("firmware/slipway.db", "404")]
    [InlineData("firmware/..%2fslipway.db", "404")]
    [InlineData("", "403")]
    public void Without_TLS_there_are_programs_and_nothing_else(string path, string status)
    {
        var answer = Http(path, "--path-as-is", "-w", "%{http_code}").Output;
        Assert.EndsWith(status, answer, StringComparison.Ordinal);
        Assert.DoesNotContain("ipxe", answer, StringComparison.Ordinal);
        Assert.Null(_store.CredentialsOf("node-1"));
    }

    [Fact]
    public void The_timeline_has_the_TLS_facts_and_no_secret()
    {
        var secret = Secret(Curl("127.0.0.11", $"boot/{Known}/uboot", "--tls-max", "1.2").Output);
        var events = _timelines.Of(KnownMac)!.Events;
        Assert.Contains(events, e => e.Text.StartsWith("is connected by TLS 1.2, TLS_ECDHE_ECDSA", StringComparison.Ordinal));
        Assert.DoesNotContain(events, e => e.Text.Contains(secret, StringComparison.Ordinal) || e.Facts.Values.Any(v => v.Contains(secret, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("127.0.0.11", Other, "403")]
    [InlineData("127.0.0.12", Known, "403")]
    [InlineData("127.0.0.14", Known, "403")]
    [InlineData("127.0.0.11", Other + "/uboot", "403")]
    [InlineData("127.0.0.11", Known + "/toaster", "404")]
    [InlineData("127.0.0.11", "not-a-mac", "400")]
    public void Nobody_gets_another_machines_script(string from, string mac, string status)
    {
        var answer = Curl(from, $"boot/{mac}", "-w", "%{http_code}");
        Assert.EndsWith(status, answer.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("password", answer.Output, StringComparison.Ordinal);
        Assert.Null(_store.CredentialsOf("node-1"));
        Assert.Null(_store.CredentialsOf("node-2"));
    }

    [Fact]
    public void An_unregistered_machine_waits_without_a_disk_and_is_told_of_once()
    {
        var script = Curl("127.0.0.13", $"boot/{Unregistered}").Output;
        Assert.Equal(script, Curl("127.0.0.13", $"boot/{Unregistered}/ibft").Output);
        Assert.Contains($"chain --replace {Unregistered} || goto again", script, StringComparison.Ordinal);
        Assert.DoesNotContain("san", script, StringComparison.Ordinal);
        Assert.DoesNotContain("password", script, StringComparison.Ordinal);
        var boot = _timelines.Of(UnregisteredMac)!;
        Assert.Single(boot.Events, e => e.Kind == BootEventKind.Refused);
        Assert.Equal(BootStage.Script, boot.Stage);
        Assert.Contains("is not registered", boot.Refusal!.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_does_not_trust_the_authority_is_seen()
    {
        var answer = Tool.Try("curl", "-sS", "--capath", "/nonexistent", "--interface", "127.0.0.11", Url($"boot/{Known}"));
        Assert.NotEqual(0, answer.ExitCode);
        // curl ends before the server's side has noticed.
        for (var boot = _timelines.Of(KnownMac); boot?.Refusal is null; boot = _timelines.Of(KnownMac))
            await Task.Yield();
        Assert.Contains("does not trust", _timelines.Of(KnownMac)!.Refusal!.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ECDHE-RSA-AES128-GCM-SHA256")]
    [InlineData("ECDHE-RSA-AES256-GCM-SHA384")]
    public void Suites_of_a_stock_iPXE_are_served(string suite) =>
        Assert.Contains("#!ipxe", Curl("127.0.0.11", $"boot/{Known}", "--tls-max", "1.2", "--ciphers", suite).Output, StringComparison.Ordinal);

    [Theory]
    [InlineData("--tlsv1.3")]
    [InlineData("--tls-max", "1.2")]
    public void Both_versions_of_TLS_are_served(params string[] version) =>
        Assert.Contains("#!ipxe", Curl("127.0.0.11", $"boot/{Known}", version).Output, StringComparison.Ordinal);

    [Fact]
    public void A_machine_says_that_it_is_up()
    {
        Assert.Equal("welcome\n", Curl("127.0.0.11", "boot/up").Output);
        Assert.Equal(BootOutcome.Up, _timelines.Of(KnownMac)!.Outcome);
        Assert.EndsWith("403", Curl("127.0.0.14", "boot/up", "-w", "%{http_code}").Output, StringComparison.Ordinal);
    }

    private static string Secret(string script) =>
        script.Split('\n').Single(line => line.StartsWith("set password ", StringComparison.Ordinal))["set password ".Length..];

    private MachineSettings Machine(string name, string mac)
    {
        var volume = Path.Combine(_folder.Path, name + ".raw");
        File.WriteAllBytes(volume, new byte[1 << 20]);
        return new MachineSettings { Name = name, Mac = MacAddress.Parse(mac), Volume = volume };
    }

    private string Url(string path) => new Uri(_endpoint.Addresses.Single(a => a.Scheme == "https"), path).ToString();

    private ToolResult Http(string path, params string[] options) =>
        Tool.Run("curl", ["-sS", "--interface", "127.0.0.11", .. options, _endpoint.Addresses.Single(a => a.Scheme == "http") + path]);

    private ToolResult Curl(string from, string path, params string[] options) => Tool.Run("curl",
        ["-sS", "--cacert", Path.Combine(_folder.Path, SiteAuthority.RootFile), "--interface", from, .. options, Url(path)]);
}
