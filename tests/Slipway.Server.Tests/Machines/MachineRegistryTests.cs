using System.Data.Common;
using System.Net;
using System.Text.Json;
using Slipway.Dhcp.Leases;
using Slipway.Dhcp.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using Slipway.Dhcp.Networks;
using Slipway.Fleet.Boots;
using Slipway.Fleet.Machines;
using Slipway.Fleet.Store;
using Slipway.Iscsi.Target;
using Slipway.Server.Api;
using Slipway.Server.Certificates;
using Slipway.Server.Dhcp;
using Slipway.Server.Disks;
using Slipway.Server.Https;
using Slipway.Server.Machines;
using Slipway.Server.Site;
using Slipway.Server.Site.Yaml;
using Slipway.Server.Tests.Net;
using Slipway.Volumes.Store;

namespace Slipway.Server.Tests.Machines;

/// <summary>The registry behind its API, as curl asks it on the socket.</summary>
public sealed class MachineRegistryTests : IAsyncLifetime
{
    private const string New = "52:54:00:77:00:09", InFile = "52:54:00:77:00:01", ByRule = "02:00:00:00:00:01";

    private readonly TemporaryFolder _folder = new();
    private readonly BootTimelines _timelines = new(TimeProvider.System);
    private IReadOnlyList<DhcpNetwork> _networks = [];
    private SiteConfiguration _site = null!;
    private CurrentSite _current = null!;
    private FleetStore _store = null!;
    private SqliteLeaseStore _leases = null!;
    private MachineSightings _sightings = null!;
    private MachineTargets _targets = null!;
    private MachineDirectory _directory = null!;
    private MachineRegistry _registry = null!;
    private ControlEndpoint _endpoint = null!;

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(SitePath, $"""
            state: {_folder.Path}
            networks: [{"{"} name: boot, interface: eth1, address: 10.77.0.1/24 {"}"}]
            machines: [{"{"} name: node-1, mac: "{InFile}", volume: {Disk("node-1")} {"}"}]
            approve: [{"{"} mac: "02:00:*", network: boot, name: "blade-{"{mac}"}", image: nothing {"}"}]
            """);
        _site = SiteFile.Load(SitePath);
        _store = FleetStore.Open(Path.Combine(_folder.Path, "slipway.db"));
        _leases = new SqliteLeaseStore(Path.Combine(_folder.Path, "leases.db"));
        await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _leases.Dispose();
        _store.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_discovered_machine_is_approved_keeps_its_place_over_a_restart_and_is_removed()
    {
        _sightings.See(new MachineSighting(MacAddress.Parse(New), DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch) { Architecture = "X64Uefi" });
        Assert.Equal("discovered", Field(Ask($"machines/{New}"), "state"));

        var approved = Approve(New, "node-9", Disk("node-9"), "10.77.0.9");
        Assert.Equal(("approved", "an operator", "X64Uefi"), (Field(approved, "state"), Field(approved, "approvedBy"), Field(approved, "architecture")));
        Assert.Contains(_networks.Single().Reservations, r => r.Address.Equals(IPAddress.Parse("10.77.0.9")) && r.HostName == "node-9");
        Assert.NotNull(_targets.Of(MacAddress.Parse(New)));

        await StopAsync();
        await StartAsync();
        Assert.Equal("node-9", _directory.Find(MacAddress.Parse(New))?.Name);
        Assert.NotNull(_targets.Of(MacAddress.Parse(New)));

        Assert.Equal("204", Ask("machines/node-9", "-X", "DELETE", "-w", "%{http_code}"));
        Assert.Null(_directory.Find(MacAddress.Parse(New)));
        Assert.Null(_targets.Of(MacAddress.Parse(New)));
        Assert.Empty(_store.Machines());
        Assert.Equal("discovered", Field(Ask($"machines/{New}"), "state"));
    }

    [Fact]
    public void What_cannot_be_is_refused_with_the_reason_and_changes_nothing()
    {
        var volume = Disk("node-9");
        Assert.Contains("approved already, as node-1", Approve(InFile, "node-9", volume), StringComparison.Ordinal);
        Assert.Contains($"node-1 is the name of {InFile}", Approve(New, "node-1", volume), StringComparison.Ordinal);
        Assert.Contains("lower-case letters", Approve(New, "Node 9", volume), StringComparison.Ordinal);
        Assert.Contains("is node-1's", Field(Approve(New, "node-9", Disk("node-1")), "detail"), StringComparison.Ordinal);
        Assert.Contains("not an absolute path", Approve(New, "node-9", "../disk"), StringComparison.Ordinal);
        Assert.Contains("is in no network", Approve(New, "node-9", volume, "192.0.2.1"), StringComparison.Ordinal);
        Assert.Contains("409", Approve(New, "node-9", volume + ".missing"), StringComparison.Ordinal);
        Assert.Contains("is in the site's file", Field(Ask("machines/node-1", "-X", "DELETE"), "detail"), StringComparison.Ordinal);
        Assert.Contains("there is no machine", Ask("machines/nobody"), StringComparison.Ordinal);
        Assert.Empty(_store.Machines());
        Assert.Equal(["node-1"], _directory.All.Select(m => m.Name));
    }

    [Fact]
    public async Task A_rule_approves_what_it_fits_and_tells_where_it_cannot()
    {
        var mac = MacAddress.Parse(ByRule);
        _sightings.See(new MachineSighting(mac, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch) { Network = "another" });
        Assert.False(await _registry.ApproveByRuleAsync(mac, TestContext.Current.CancellationToken));
        Assert.Null(_timelines.Of(mac));
        _sightings.See(new MachineSighting(mac, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch) { Network = "boot" });
        Assert.False(await _registry.ApproveByRuleAsync(mac, TestContext.Current.CancellationToken));
        Assert.Contains("nothing", _timelines.Of(mac)!.Refusal!.Text, StringComparison.Ordinal);
        Assert.Null(_directory.Find(mac));
    }

    [Fact]
    public async Task A_rule_clones_the_disk_that_it_names_and_what_cannot_be_kept_leaves_no_disk_behind()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var volumes = new VolumeStore(_folder.Path);
        await volumes.Images.ImportAsync(Disk("golden"), "nothing", sha256: null, progress: null, cancellation);
        var mac = MacAddress.Parse(ByRule);
        _sightings.See(new MachineSighting(mac, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch) { Network = "boot" });
        Assert.True(await _registry.ApproveByRuleAsync(mac, cancellation));
        Assert.True(await _registry.ApproveByRuleAsync(mac, cancellation));
        Assert.Equal(("blade-020000000001", "a rule for 02:00:*"), (_directory.Find(mac)!.Name, _registry.Registrations()[mac].ApprovedBy));
        Assert.NotNull(_targets.Of(mac));
        Assert.Equal(["blade-020000000001"], volumes.List().Select(v => v.Name));

        // The database refuses a second of its name: the clone that was made for it goes again.
        _store.Add(new RegisteredMachine(MacAddress.Parse(New), "node-9", "node-9", MachineFirmware.Detect, null, "nobody", DateTimeOffset.UnixEpoch));
        await Assert.ThrowsAnyAsync<DbException>(() => _registry.ApproveAsync(MacAddress.Parse(New), new Approval("node-9", Image: "nothing"), cancellation));
        Assert.Equal(["blade-020000000001"], volumes.List().Select(v => v.Name));
        Assert.Null(_targets.Of(MacAddress.Parse(New)));
    }

    [Theory]
    [InlineData("10.77.0.100")]
    [InlineData("node-1")]
    public async Task Who_had_an_address_is_known_later(string of)
    {
        var (mac, address, now) = (HardwareAddress.Parse(_site.Machines[0].Mac.ToString()), IPAddress.Parse("10.77.0.100"), DateTimeOffset.UtcNow);
        await _leases.CommitAsync(new[] { new Lease(address, "boot", mac, LeaseState.Bound, now.AddHours(-3), now.AddHours(9)) });
        await _leases.CommitAsync(new[] { new Lease(address, "boot", mac, LeaseState.Released, now.AddHours(-1), now.AddHours(-1)) });
        var history = JsonDocument.Parse(Ask($"leases/history?of={of}")).RootElement;
        Assert.Equal([("released", "node-1"), ("bound", "node-1")], history.EnumerateArray().Select(l => (l.GetProperty("state").GetString(), l.GetProperty("machine").GetString())).Select(l => (l.Item1 == "ended" ? "bound" : l.Item1, l.Item2)));
        Assert.Contains("there is no machine node-99", Ask("leases/history?of=node-99"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_socket_is_its_owners_and_describes_itself()
    {
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Socket));
        var paths = JsonDocument.Parse(Tool.Run("curl", "-sS", "--unix-socket", Socket, "http://slipway/openapi/v1.json").Output).RootElement.GetProperty("paths");
        Assert.Contains("/v1/machines/{machine}/approval", paths.EnumerateObject().Select(p => p.Name));
    }

    [Fact]
    public async Task A_second_server_on_the_same_state_folder_is_refused()
    {
        var refusal = await Assert.ThrowsAsync<IOException>(() => ControlEndpoint.StartAsync(Socket, Requests(), Certificates(), SiteApi(), NullLoggerFactory.Instance, TestContext.Current.CancellationToken));
        Assert.Contains("another slipway serves", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("node-1", Ask("machines"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_exported_changes_nothing_when_it_is_applied_and_another_site_is_applied_whole()
    {
        Assert.Equal(File.ReadAllText(SitePath), Exported());
        Approve(New, "node-9", Disk("node-9"), "10.77.0.9");
        var exported = Exported();
        Assert.Contains("node-9", exported, StringComparison.Ordinal);
        Assert.Empty(Site("plan", exported).Changes);
        var disk = _targets.Of(MacAddress.Parse(InFile));

        var other = exported.Replace($"volume: {Disk("node-1")}", $"volume: {Disk("node-1")}, profile: local, address: 10.77.0.7, redirect: 10.88.0.1", StringComparison.Ordinal)
            .Replace("node-9", "node-10", StringComparison.Ordinal).Replace(Disk("node-10"), Disk("node-9"), StringComparison.Ordinal);
        Disk("node-10");
        other += "\nprofiles: [{ name: own, kind: direct }]\n";
        var plan = Site("plan", other);
        Assert.Contains("+ machines[node-1].profile: local", plan.Changes);
        Assert.Contains(plan.Changes, c => c.StartsWith("- machines[node-9]: ", StringComparison.Ordinal));
        Assert.Equal(exported, Exported());

        Assert.Equal(plan.Changes, Site("", other).Changes);
        Assert.Equal(other, File.ReadAllText(SitePath));
        Assert.Equal(["node-1", "node-10"], _directory.All.Select(m => m.Name));
        Assert.Same(disk, _targets.Of(MacAddress.Parse(InFile)));
        Assert.Equal("local", disk!.Machine.Profile);
        Assert.Equal(IPEndPoint.Parse("10.88.0.1:3260"), _targets.Admit(new LoginFacts(
            IPEndPoint.Parse("10.77.0.7:50000"), IPEndPoint.Parse("10.77.0.1:3260"), disk.Names.Initiator, disk.Names.Target, SessionType.Normal, 0)).Elsewhere);
        Assert.Equal("node-10", _targets.Of(MacAddress.Parse(New))!.Machine.Name);
        Assert.NotNull(_current.Value.BootProfiles.Find("own"));
        Assert.Contains(_networks.Single().Reservations, r => r.Address.Equals(IPAddress.Parse("10.77.0.7")));
        Assert.Empty(_store.Machines());
        Assert.Empty(Site("plan", Exported()).Changes);

        // A restart finds what was applied.
        await StopAsync();
        _site = SiteFile.Load(SitePath);
        await StartAsync();
        Assert.Equal(["node-1", "node-10"], _directory.All.Select(m => m.Name));
    }

    [Fact]
    public void A_site_that_cannot_be_applied_whole_is_not_applied_at_all()
    {
        var before = File.ReadAllText(SitePath);
        Assert.Equal(["lab.yaml:1: 'nmae' is not a setting here; there are name, state, ipxe, tftp, networks, machines, profiles, approve, iscsi, https; did you mean name? (slipway explain SLP3001)", "lab.yaml:2: machines[0].name is missing"],
            Site("", "nmae: x\nmachines: [{ mac: 525400770009, volume: /x }]\n").Mistakes);
        Assert.Equal(["name", "networks[boot].interface"], Site("plan", "name: lab\n" + before.Replace("eth1", "eth2", StringComparison.Ordinal)).NeedRestart.Order());
        Assert.Contains("a running server cannot change that", Problem(before.Replace("eth1", "eth2", StringComparison.Ordinal)), StringComparison.Ordinal);
        var gone = before.Replace("node-1", "node-2", StringComparison.Ordinal).Replace("node-2.raw", "missing.raw", StringComparison.Ordinal);
        Assert.Contains("Nothing was changed", Problem(gone), StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllText(SitePath));
        Assert.Equal("node-1", Assert.Single(_directory.All).Name);
        Assert.NotNull(_targets.Of(MacAddress.Parse(InFile)));

        string Problem(string text) => Field(Ask("site", "--json", JsonSerializer.Serialize(new { file = "lab.yaml", content = text })), "detail")!;
    }

    private string SitePath => Path.Combine(_folder.Path, "slipway.yaml");

    private string Exported() => Field(Ask("site"), "content")!;

    private SitePlanView Site(string path, string text)
    {
        var body = Path.Combine(_folder.Path, "body.json");
        File.WriteAllText(body, JsonSerializer.Serialize(new { file = "lab.yaml", content = text }));
        return JsonSerializer.Deserialize<SitePlanView>(Ask(path.Length > 0 ? $"site/{path}" : "site", "--json", "@" + body), JsonSerializerOptions.Web)!;
    }

    private string Socket => Path.Combine(_folder.Path, ControlEndpoint.SocketFile);

    private async Task StartAsync()
    {
        _current = new CurrentSite(_site);
        _sightings = new MachineSightings(_store);
        _targets = new MachineTargets([]);
        _directory = new MachineDirectory(_site.Machines, _ => null);
        var disks = new MachineDisks(_current, _targets, _store, _timelines, NullLogger.Instance);
        _registry = new MachineRegistry(_current, _directory, disks, _sightings, _store, _timelines, TimeProvider.System, NullLogger.Instance)
        {
            NetworksChanged = networks => _networks = networks,
        };
        await _registry.OpenAsync(TestContext.Current.CancellationToken);
        _endpoint = await ControlEndpoint.StartAsync(Socket, Requests(), Certificates(), SiteApi(), NullLoggerFactory.Instance, TestContext.Current.CancellationToken);
    }

    private async Task StopAsync()
    {
        await _endpoint.DisposeAsync();
        await _registry.DisposeAsync();
        _sightings.Save();
    }

    private CertificateRequests Certificates() =>
        new(new ClientCertificates(SiteAuthority.Open(_folder.Path, "lab", TimeProvider.System), _store, ClientCertificateUse.Optional, TimeProvider.System), _directory, _registry);

    private SiteRequests SiteApi() => new(new SiteApply(_current, _registry, networks => _networks = networks));

    private ControlRequests Requests() => new(_directory, _registry, _sightings, _timelines, _leases, _site.Networks, TimeProvider.System);

    private string Disk(string name)
    {
        var path = Path.Combine(_folder.Path, name + ".raw");
        if (!File.Exists(path))
            File.WriteAllBytes(path, new byte[1 << 20]);
        return path;
    }

    private string Approve(string mac, string name, string volume, string? address = null) => Ask($"machines/{mac}/approval",
        "--json", JsonSerializer.Serialize(new { name, volume, address }));

    private string Ask(string path, params string[] options) => Tool.Run("curl", ["-sS", "--unix-socket", Socket, .. options, $"http://slipway/v1/{path}"]).Output;

    private static string? Field(string json, string name) => JsonDocument.Parse(json).RootElement.GetProperty(name).GetString();
}
