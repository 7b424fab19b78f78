using System.Text;
using System.Text.RegularExpressions;
using Slipway.EndToEnd.Initiator;
using Slipway.Server.Tests;
using Slipway.Server.Tests.Net;

namespace Slipway.EndToEnd;

/// <summary>
/// The disks of <c>slipway serve</c>: a machine that shows its certificate fetches its script, and libiscsi logs in with
/// what the script says, boot after boot.
/// </summary>
public sealed partial class ServedDiskTests : IDisposable
{
    private const string Server = "10.77.0.1", Mac = "52-54-00-77-00-01", Rescue = "iqn.2026-11.test:rescue";
    private const int Blocks = 2048;

    private readonly TemporaryFolder _folder = new();
    private readonly NetworkNamespace _network = GuestNetwork.Create("disks", "eth1", $"{Server}/24");

    private string State => Path.Combine(_folder.Path, "state");

    public void Dispose()
    {
        _network.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Only_who_is_allowed_comes_in_and_portals_are_as_the_site_says()
    {
        await ImportAsync("golden", "first version");
        Slipway("volume", "create", "--image", "golden", "--for", "node-1");
        using var server = Serve("""
                allow-initiators: [iqn.2026-11.test:rescue]
                allow-networks: [10.77.0.1/32]
            """, "iscsi:\n  advertise: [192.0.2.10, 10.77.0.1]");
        var boot = Fetch();

        using (var stranger = Connect(boot, "iqn.2026-11.test:stranger"))
            Assert.NotEqual(0, await stranger.EndAsync(TimeSpan.FromSeconds(30)));
        server.WaitFor("iqn.2026-11.test:stranger is not an initiator that may use");
        using (var rescue = Connect(boot, Rescue))
            Assert.Contains("GOOD first version", rescue.Ask("read 0"), StringComparison.Ordinal);
        using (var own = Connect(boot, boot.Initiator))
            Assert.Contains("GOOD first version", own.Ask("read 0"), StringComparison.Ordinal);

        foreach (var initiator in (string[])[boot.Initiator, Rescue])
        {
            var portals = Discover(boot, initiator);
            Assert.Contains($"Target:{boot.Target} Portal:192.0.2.10:3260,1", portals, StringComparison.Ordinal);
            Assert.Contains($"Target:{boot.Target} Portal:{Server}:3260,1", portals, StringComparison.Ordinal);
        }

        _network.Ip("addr", "add", "10.77.0.9/24", "dev", "eth1");
        // From now on what goes to the server comes from there.
        _network.Ip("route", "replace", "local", Server, "dev", "lo", "table", "local", "proto", "kernel", "scope", "host", "src", "10.77.0.9");
        using (var away = Connect(boot, boot.Initiator))
            Assert.NotEqual(0, await away.EndAsync(TimeSpan.FromSeconds(30)));
        server.WaitFor("10.77.0.9 is in none of the networks allowed: 10.77.0.1/32");
    }

    [Fact]
    public async Task Who_is_logged_in_when_a_certificate_is_revoked_is_told_and_put_out_where_that_is_wanted()
    {
        await ImportAsync("golden", "first version");
        Slipway("volume", "create", "--image", "golden", "--for", "node-1");
        using var server = Serve("");
        var boot = Fetch();
        using var session = Connect(boot, boot.Initiator);
        Assert.Contains("GOOD first version", session.Ask("read 0"), StringComparison.Ordinal);
        var serial = CertificateSerial().Match(Tool.Run(Demo.Program, "machine", "certificate", "list", "--state", State).Output).Value;

        var told = Revoke(serial);
        Assert.Contains($"still logged in: {boot.Initiator} from {Server}:", told, StringComparison.Ordinal);
        Assert.Contains($"revoke {serial} --end-sessions", told, StringComparison.Ordinal);
        Assert.DoesNotContain("can still boot", told, StringComparison.Ordinal);
        Assert.Contains("GOOD first version", session.Ask("read 0"), StringComparison.Ordinal);
        Assert.ThrowsAny<InvalidOperationException>(Fetch);

        Assert.Contains($"logged out: {boot.Initiator} from {Server}:", Revoke(serial, "--end-sessions"), StringComparison.Ordinal);
        server.WaitFor($"is cut off from its disk: the certificate {serial} was revoked");
        const string noConnection = "STATUS 251658240"; // SCSI_STATUS_ERROR of libiscsi
        Assert.Contains(noConnection, session.Ask("read 0"), StringComparison.Ordinal);
        // With the secrets that it had it does not come back, nor when the server starts anew.
        using (var again = Connect(boot, boot.Initiator))
            Assert.NotEqual(0, await again.EndAsync(TimeSpan.FromSeconds(30)));
        server.WaitFor("node-1 has no secrets");
        Assert.Contains($"the certificate {serial} was revoked", Tool.Run(Demo.Program, "boot", "show", "node-1", "--state", State).Output, StringComparison.Ordinal);
        server.Signal("TERM");
        Assert.Equal(0, await server.EndAsync(TimeSpan.FromMinutes(1)));
        using var next = Serve("");
        using (var again = Connect(boot, boot.Initiator))
            Assert.NotEqual(0, await again.EndAsync(TimeSpan.FromSeconds(30)));
        next.WaitFor("node-1 has no secrets");

        string Revoke(params string[] arguments) => Tool.Run(Demo.Program, ["machine", "certificate", "revoke", .. arguments, "--state", State]).Output;
    }

    [Fact]
    public async Task Logins_are_sent_to_the_storage_network()
    {
        const string storage = "10.88.0.1";
        await ImportAsync("golden", "first version");
        Slipway("volume", "create", "--image", "golden", "--for", "node-1");
        _network.Ip("link", "add", "eth2", "type", "veth", "peer", "name", "far2");
        _network.Ip("link", "set", "eth2", "up");
        _network.Ip("link", "set", "far2", "up");
        _network.Ip("addr", "add", $"{storage}/24", "dev", "eth2");
        using var server = Serve($"    redirect: {storage}", "iscsi:\n  redirect: 192.0.2.1", $"  - {{ name: storage, interface: eth2, address: {storage}/24, mode: off }}");
        var boot = Fetch();
        using (var own = Connect(boot, boot.Initiator))
            Assert.Contains("GOOD first version", own.Ask("read 0"), StringComparison.Ordinal);
        server.WaitFor($"asked for {boot.Target}: sent to {storage}:3260 (status 0101)");
        Assert.Contains($"Target:{boot.Target} Portal:{storage}:3260,1", Discover(boot, boot.Initiator), StringComparison.Ordinal);
        Assert.Contains($"was sent to {storage}:3260", Tool.Run(Demo.Program, "boot", "show", "node-1", "--state", State).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Faults_reach_the_machine_as_sense_and_the_trace_tells_what_it_read()
    {
        await ImportAsync("golden", "first version");
        Slipway("volume", "create", "--image", "golden", "--for", "node-1");
        using var server = Serve("""
                allow-initiators: [iqn.2026-11.test:rescue]
                trace: node-1.trace
                faults:
                  - error on=read from=512K length=512
                  - error=nospace on=write after=1 times=1
            """);
        using (var session = Connect(Fetch(), Rescue))
        {
            Assert.Contains("GOOD first version", session.Ask("read 0"), StringComparison.Ordinal);
            Assert.Contains("CHECK 3/1100", session.Ask("read 1024"), StringComparison.Ordinal);
            Assert.Contains("GOOD", session.Ask("write 1 mine"), StringComparison.Ordinal);
            Assert.Contains("CHECK 7/2707", session.Ask("write 2 mine"), StringComparison.Ordinal);
            Assert.Contains("GOOD", session.Ask("write 2 mine"), StringComparison.Ordinal);
        }
        server.Signal("TERM");
        Assert.Equal(0, await server.EndAsync(TimeSpan.FromMinutes(1)));
        var trace = await File.ReadAllTextAsync(Path.Combine(_folder.Path, "node-1.trace"), TestContext.Current.CancellationToken);
        Assert.Matches(@"\tRead\t0\t512\t\d+\tok", trace);
        Assert.Matches(@"\tRead\t524288\t512\t\d+\t(?!ok)", trace);
        Assert.Matches(@"\tWrite\t512\t512\t\d+\tok", trace);
    }

    [Fact]
    public async Task A_disk_grows_under_its_machine_is_rebased_and_is_reset_at_the_next_boot()
    {
        await ImportAsync("golden", "first version");
        await ImportAsync("golden", "second version");
        Slipway("volume", "create", "--image", "golden@1", "--for", "node-1", "--policy", "reset");
        using var server = Serve($"    allow-initiators: [{Rescue}]");
        // A machine that is off has no volume in use.
        Slipway("volume", "export", "node-1", Path.Combine(_folder.Path, "off.img"), "--format", "raw");
        using (var session = Connect(Fetch(), Rescue))
        {
            Assert.Contains($"GOOD {Blocks * 512}", session.Ask("capacity"), StringComparison.Ordinal);
            Assert.Contains("GOOD", session.Ask("write 0 mine"), StringComparison.Ordinal);
            Slipway("volume", "grow", "node-1", "2M");
            Assert.Contains("CHECK 6/2a09", session.Ask("ready"), StringComparison.Ordinal);
            Assert.Contains($"GOOD {2 << 20}", session.Ask("capacity"), StringComparison.Ordinal);
            Assert.Contains("GOOD mine", session.Ask("read 0"), StringComparison.Ordinal);
            Slipway("volume", "rebase", "node-1", "golden@2");
            Assert.Contains("GOOD mine", session.Ask("read 0"), StringComparison.Ordinal);
        }
        using (var session = Connect(Fetch(), Rescue))
        {
            Assert.Contains("GOOD second version", session.Ask("read 0"), StringComparison.Ordinal);
            Assert.Contains("GOOD", session.Ask("write 0 mine"), StringComparison.Ordinal);
        }
        using (var session = Connect(Fetch(), Rescue))
            Assert.Contains("GOOD second version", session.Ask("read 0"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reservation_outlives_a_server_that_is_killed()
    {
        const string allowed = $"    allow-initiators: [{Rescue}]";
        await ImportAsync("golden", "first version");
        Slipway("volume", "create", "--image", "golden", "--for", "node-1");
        using (var server = Serve(allowed))
        {
            using var rescue = Connect(Fetch(), Rescue);
            Assert.Contains("GOOD", rescue.Ask("register 10"), StringComparison.Ordinal);
            Assert.Contains("GOOD", rescue.Ask("reserve 10"), StringComparison.Ordinal);
            server.Signal("KILL");
            await server.EndAsync(TimeSpan.FromMinutes(1));
        }
        using var next = Serve(allowed);
        var boot = Fetch();
        using var own = Connect(boot, boot.Initiator);
        const string reservationConflict = "STATUS 24";
        Assert.Contains(reservationConflict, own.Ask("write 0 mine"), StringComparison.Ordinal);
        Assert.Contains("GOOD first version", own.Ask("read 0"), StringComparison.Ordinal);
    }

    private sealed record Boot(string Target, string Initiator, string User, string Secret, string ReverseUser, string ReverseSecret);

    private async Task ImportAsync(string name, string content)
    {
        var path = Path.Combine(_folder.Path, "disk.raw");
        var disk = new byte[Blocks * 512];
        Encoding.ASCII.GetBytes(content, disk);
        await File.WriteAllBytesAsync(path, disk, TestContext.Current.CancellationToken);
        Slipway("image", "import", path, "--name", name);
    }

    /// <param name="machine">Lines of the machine.</param>
    /// <param name="more">Other sections of the site.</param>
    /// <param name="networks">Beside the one that machines boot on.</param>
    private BackgroundTool Serve(string machine, string more = "", string networks = "")
    {
        var site = Path.Combine(_folder.Path, "slipway.yaml");
        File.WriteAllText(site, $"""
            name: lab
            state: {State}
            networks:
              - name: boot
                interface: eth1
                address: {Server}/24
                pool: 10.77.0.100-10.77.0.200
            {networks}
            https:
              client-certificates: optional
            machines:
              - name: node-1
                mac: {Mac}
                volume: node-1
                firmware: ibft
                client-certificate: required
            {machine}
            {more}
            """);
        var server = _network.Start(Demo.Program, "serve", "-c", site);
        server.WaitFor("serving network boot");
        var identity = Path.Combine(_folder.Path, "node-1");
        if (!File.Exists(identity + ".crt"))
            Slipway("machine", "certificate", "issue", "node-1", "-o", identity);
        return server;
    }

    private void Slipway(params string[] arguments) => Tool.Run(Demo.Program, [.. arguments, "--state", State]);

    /// <summary>A boot begins: its script, which nobody else can have.</summary>
    private Boot Fetch()
    {
        var identity = Path.Combine(_folder.Path, "node-1");
        var script = Tool.Run("ip", "netns", "exec", _network.Name, "curl", "-sSf", "--cacert", Path.Combine(State, "ca.pem"),
            "--cert", identity + ".crt", "--key", identity + ".key", $"https://{Server}/boot/{Mac}").Output;
        var settings = Setting().Matches(script).ToDictionary(m => m.Groups["name"].Value, m => m.Groups["value"].Value);
        return new(Target().Match(script).Groups["name"].Value, settings["initiator-iqn"], settings["username"], settings["password"],
            settings["reverse-username"], settings["reverse-password"]);
    }

    private OtherInitiator Connect(Boot boot, string initiator) =>
        new(_network, _folder, initiator, $"{Server}:3260", boot.Target, boot.User, boot.Secret, boot.ReverseUser, boot.ReverseSecret);

    private string Discover(Boot boot, string initiator) => Tool.Run("ip", "netns", "exec", _network.Name, "env",
        "LIBISCSI_CHAP_USERNAME=" + boot.User, "LIBISCSI_CHAP_PASSWORD=" + boot.Secret,
        "LIBISCSI_CHAP_TARGET_USERNAME=" + boot.ReverseUser, "LIBISCSI_CHAP_TARGET_PASSWORD=" + boot.ReverseSecret,
        "iscsi-ls", "-i", initiator, $"iscsi://{Server}").Output;

    [GeneratedRegex("^[0-9A-F]{10,}", RegexOptions.Multiline)]
    private static partial Regex CertificateSerial();

    [GeneratedRegex(@"^set (?<name>\S+) (?<value>\S+)$", RegexOptions.Multiline)]
    private static partial Regex Setting();

    [GeneratedRegex(@"sanboot .*iscsi:\S*?:0:(?<name>iqn\S+)")]
    private static partial Regex Target();
}
