using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Slipway.Disks.FileSystems;
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
using Slipway.Server.Site.Yaml;
using Slipway.Server.Tests.Net;

namespace Slipway.Server.Tests.Boot;

/// <summary>What curl, as a machine, is given by each kind of profile.</summary>
public sealed class ProfileTests : IAsyncLifetime
{
    private const string Mac = "52-54-00-77-00-01";
    private static readonly MacAddress Node = MacAddress.Parse(Mac);

    private readonly TemporaryFolder _folder = new();
    private readonly ManualTime _time = new();
    private BootTimelines _timelines = null!;
    private SiteAuthority _authority = null!;
    private FleetStore _store = null!;
    private MachineDisk _disk = null!;
    private HttpsEndpoint _endpoint = null!;
    private CurrentSite _site = null!;

    public async ValueTask InitializeAsync()
    {
        _timelines = new BootTimelines(_time);
        using (var file = File.Create(Path.Combine(_folder.Path, "node-1.raw")))
            (await BootDisk.CreateAsync()).Disk.CopyTo(file);
        _site = new CurrentSite(SiteFile.Parse(new StringReader($$"""
            state: {{_folder.Path}}
            networks: [{ name: boot, interface: lo, address: 127.0.0.1/24 }]
            machines: [{ name: node-1, mac: "52:54:00:77:00:01", volume: node-1.raw, profile: choice }]
            profiles:
              - { name: kernel, kind: direct, kernel: /vmlinuz, initrd: /initrd.img, arguments: console=ttyS0 quiet }
              - { name: choice, kind: menu, entries: [sanboot, kernel, own, local], default: kernel, timeout: 90s }
              - { name: other, kind: sanboot, title: not in the menu }
              - name: own
                kind: script
                script: |
                  #!ipxe
                  sanboot --drive 0x81 ${slipway-disk} || shell
            """), Path.Combine(_folder.Path, "slipway.yaml")));
        _authority = SiteAuthority.Open(_folder.Path, "lab", TimeProvider.System);
        _store = FleetStore.Open(Path.Combine(_folder.Path, "slipway.db"));
        _disk = await MachineDisk.OpenAsync(_site.Value.Machines[0], _site.Value, _timelines, null, TestContext.Current.CancellationToken);
        var targets = new MachineTargets([]);
        targets.Add(_disk);
        var machines = new MachineDirectory(_site.Value.Machines, a => a.ToString() == "127.0.0.11" ? Node : null);
        var requesters = new BootRequesters(machines, targets, _timelines, new NoApprovals(),
            new ClientCertificates(_authority, _store, ClientCertificateUse.Off, TimeProvider.System), NullLogger.Instance);
        var requests = new BootRequests(_site, machines, requesters, _store, _timelines, 3260, _ => Task.CompletedTask, NullLogger.Instance);
        _endpoint = await HttpsEndpoint.StartAsync([new TlsEndPoint(new IPEndPoint(IPAddress.Loopback, 0))], [],
            new ServerCertificate(new IssuedServerCertificates(_authority, [IPAddress.Loopback], "boothost", TimeProvider.System), NullLogger.Instance),
            requests, new ProgramRequests(new BootPrograms(_folder.Path, _authority.Fingerprint), machines, _timelines, NullLogger.Instance), NullLoggerFactory.Instance, TestContext.Current.CancellationToken);
        _timelines.Observe(Node, "node-1", BootStage.Script, "TLS", starts: true);
    }

    public async ValueTask DisposeAsync()
    {
        await _endpoint.DisposeAsync();
        await _disk.DisposeAsync();
        _store.Dispose();
        _authority.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_menu_holds_no_secret_and_what_is_chosen_brings_fresh_ones()
    {
        var menu = Curl($"boot/{Mac}/ibft");
        Assert.Contains("item kernel kernel\n", menu, StringComparison.Ordinal);
        Assert.Contains("item sanboot Boot from this machine's disk\n", menu, StringComparison.Ordinal);
        Assert.Contains("choose --default kernel --timeout 90000 slipway-chosen || goto menu\n", menu, StringComparison.Ordinal);
        Assert.Contains($"chain --replace /boot/{Mac}/ibft/${{slipway-chosen}} || goto again\n", menu, StringComparison.Ordinal);
        Assert.DoesNotContain("password", menu, StringComparison.Ordinal);
        Assert.Null(_store.CredentialsOf("node-1"));

        var script = Curl($"boot/{Mac}/ibft/sanboot");
        Assert.Contains($"set password {_store.CredentialsOf("node-1")!.Secret}\n", script, StringComparison.Ordinal);
        Assert.EndsWith("404", Curl($"boot/{Mac}/ibft/other", "-w", "%{http_code}"), StringComparison.Ordinal);
        Assert.EndsWith("403", Curl($"boot/{Mac}/ibft/sanboot", "--interface", "127.0.0.12", "-w", "%{http_code}"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_machine_that_waits_at_its_menu_is_not_stalled_until_it_should_have_gone_on()
    {
        Curl($"boot/{Mac}/ibft");
        _time.Advance(TimeSpan.FromSeconds(140));
        _timelines.MarkStalled();
        Assert.Equal(BootOutcome.Running, _timelines.Of(Node)!.Outcome);
        _time.Advance(TimeSpan.FromSeconds(15));
        _timelines.MarkStalled();
        Assert.Equal(BootOutcome.Stalled, _timelines.Of(Node)!.Outcome);
    }

    [Fact]
    public void A_direct_boot_reads_the_kernel_that_is_in_the_volume_now()
    {
        var script = Curl($"boot/{Mac}/uboot/kernel");
        Assert.Contains("console=ttyS0 quiet ISCSI_INITIATOR=", script, StringComparison.Ordinal);
        Assert.Contains("\nimgfree\nkernel https://", script, StringComparison.Ordinal);
        Assert.Contains("initrd --name initrd0 https://", script, StringComparison.Ordinal);
        Assert.DoesNotContain("\nsan", script, StringComparison.Ordinal);
        var hooked = Curl($"boot/{Mac}/ibft/kernel");
        Assert.Contains("sanhook iscsi:127.0.0.1::3260:0:", hooked, StringComparison.Ordinal);
        Assert.DoesNotContain("ISCSI_PASSWORD", hooked, StringComparison.Ordinal);

        var kernel = Kernel(script);
        Assert.Equal(new byte[300_000], Fetch(kernel));
        // An update inside the volume, while the server serves it.
        Update("/vmlinuz");
        var updated = Fetch(kernel);
        Assert.Equal(("new kernel", 300_000), (System.Text.Encoding.ASCII.GetString(updated, 0, 10), updated.Length));
        Assert.Equal("w kern"u8.ToArray(), Fetch(kernel, "-r", "2-7"));
        Assert.Equal(BootStage.Kernel, _timelines.Of(Node)!.Stage);
        Assert.Contains(_timelines.Of(Node)!.Events, e => e.Text == "fetches /vmlinuz of its volume, 300,000 bytes by HTTPS");
        Assert.EndsWith("404", Curl($"boot/{Mac}/direct/kernel/shadow", "-w", "%{http_code}"), StringComparison.Ordinal);
        Assert.EndsWith("403", Curl($"boot/{Mac}/direct/kernel/kernel", "--interface", "127.0.0.12", "-w", "%{http_code}"), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_in_the_volume_is_told_in_the_timeline()
    {
        _site.Set(_site.Value with { Profiles = [.. SiteFile.Parse(new StringReader("profiles: [{ name: choice, kind: menu, entries: [gone] }, { name: gone, kind: direct, kernel: /gone }]"), "x.yaml").Profiles] });
        Curl($"boot/{Mac}/uboot");
        Assert.EndsWith("503", Curl($"boot/{Mac}/uboot/gone", "-w", "%{http_code}"), StringComparison.Ordinal);
        Assert.Contains("/gone is in no partition", _timelines.Of(Node)!.Refusal!.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void An_operators_script_gets_its_settings_and_nothing_in_its_text()
    {
        var script = Curl($"boot/{Mac}/uboot/own");
        var own = script[script.IndexOf("#!ipxe", 7, StringComparison.Ordinal)..];
        Assert.Equal("#!ipxe\nsanboot --drive 0x81 ${slipway-disk} || shell\n", own);
        Assert.Contains("set slipway-disk iscsi:127.0.0.1::3260:0:iqn.", script, StringComparison.Ordinal);
        Assert.Contains($"set password {_store.CredentialsOf("node-1")!.Secret}\n", script, StringComparison.Ordinal);
        Assert.Contains("set slipway-arguments ISCSI_INITIATOR=", script, StringComparison.Ordinal);
    }

    [Fact]
    public void Boot_once_counts_for_one_boot_and_not_for_the_question_before_it()
    {
        _store.SetBootOnce(Node, "local");
        Curl($"boot/{Mac}");
        Assert.Equal("local", _store.BootOnce(Node));
        Assert.Contains("sanboot --no-describe --drive 0x80", Curl($"boot/{Mac}/ibft"), StringComparison.Ordinal);
        Assert.Null(_store.BootOnce(Node));
        Assert.Contains("choose", Curl($"boot/{Mac}/ibft"), StringComparison.Ordinal);
    }

    private static string Kernel(string script) => script.Split('\n').Single(l => l.StartsWith("kernel ", StringComparison.Ordinal)).Split(' ')[1];

    private void Update(string path)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var fat = FileSystem.DetectAsync(new(_disk.Volume, 1 << 20, 8 << 20), cancellation).AsTask().GetAwaiter().GetResult()!;
        var file = fat.FindAsync(path, cancellation).AsTask().GetAwaiter().GetResult()!;
        fat.OverwriteAsync(file, 0, "new kernel"u8.ToArray(), cancellation).AsTask().GetAwaiter().GetResult();
    }

    private byte[] Fetch(string url, params string[] options)
    {
        var file = Path.Combine(_folder.Path, "fetched");
        Tool.Run("curl", ["-sS", "--fail", "--cacert", Path.Combine(_folder.Path, "ca.pem"), "--interface", "127.0.0.11", .. options, "-o", file, url]);
        return File.ReadAllBytes(file);
    }

    private string Curl(string path, params string[] options) => Tool.Run("curl",
        ["-sS", "--cacert", Path.Combine(_folder.Path, "ca.pem"), "--interface", "127.0.0.11", .. options, $"https://127.0.0.1:{_endpoint.Addresses[0].Port}/{path}"]).Output;
}
