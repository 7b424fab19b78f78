using System.Security.Cryptography;
using System.Text;
using Slipway.EndToEnd.Guest;
using Slipway.EndToEnd.Initiator;
using Slipway.Server.Tests;
using Slipway.Server.Tests.Net;

namespace Slipway.EndToEnd;

/// <summary>The Linux kernel's own initiator, in a guest, against <c>slipway target</c>.</summary>
public sealed class KernelInitiatorTests : IDisposable
{
    private const string TargetName = "iqn.2026-11.test:disk", Portal = $"{LinuxGuest.Server}:3260", Progress = "VERIFIER PROGRESS";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private readonly TemporaryFolder _folder = new();
    private readonly NetworkNamespace _network = GuestNetwork.Create("guest", "br0", $"{LinuxGuest.Server}/24");

    private string Secret => Path.Combine(_folder.Path, "secret");

    private string ReverseSecret => Path.Combine(_folder.Path, "reverse-secret");

    public void Dispose()
    {
        _network.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("None", "SHA256", "Sha256")]
    [InlineData("CRC32C", "SHA3-256", "Sha3_256")]
    public async Task A_file_system_keeps_its_files(string digest, string algorithm, string logged)
    {
        var disk = Path.Combine(_folder.Path, "disk.raw");
        Tool.Run("mke2fs", "-q", "-t", "ext4", "-E", "nodiscard", disk, "192M");
        var guest = await GuestAsync("files", digest, algorithm);
        using (var target = Serve(disk))
        {
            using var machine = guest.Start(_network);
            Assert.Equal(0, await machine.EndAsync(Patience));
            AssertDone(machine, target, "FILES DONE");
            Assert.Contains(target.Lines, l => l.Contains($"CHAP {logged}, mutual", StringComparison.Ordinal));
        }
        Tool.Run("e2fsck", "-fn", disk);
    }

    [Theory]
    [InlineData("raw")]
    [InlineData("qcow2")]
    public async Task A_server_that_is_killed_twenty_times_and_stopped_four_loses_nothing(string format)
    {
        const int ends = 24;
        const string reservationConflict = "STATUS 24";
        var disk = Path.Combine(_folder.Path, "disk." + format);
        Tool.Run("qemu-img", "create", "-q", "-f", format, disk, "128M");
        var guest = await GuestAsync("verify", "None", "MD5", ("writers", "4"));

        var target = Serve(disk);
        try
        {
            using var machine = guest.Start(_network);
            machine.WaitFor("RESERVED", Patience);
            for (var end = 1; end <= ends; end++)
            {
                // Writes go on between one end and the next: it is their acknowledgements that must hold.
                var acknowledged = machine.Lines.Count(l => l.Contains(Progress, StringComparison.Ordinal));
                machine.WaitFor(Progress, Patience, acknowledged + 5);
                if (end % 6 == 0)
                {
                    target.Signal("TERM");
                    Assert.Equal(0, await target.EndAsync(Patience));
                }
                target.Dispose();
                target = Serve(disk);
                // It knows whose the disk is before the guest is back.
                using var other = new OtherInitiator(_network, _folder, "iqn.2026-11.test:other", Portal, TargetName,
                    "guest", File.ReadAllText(Secret), "disk", File.ReadAllText(ReverseSecret));
                Assert.Contains(reservationConflict, other.Ask("write 0 mine"), StringComparison.Ordinal);
            }
            machine.Type("enough");
            Assert.Equal(0, await machine.EndAsync(Patience));
            AssertDone(machine, target, "VERIFIER DONE");
        }
        finally
        {
            target.Dispose();
        }
        // 3: clusters that a death left unused. They are space, not data.
        if (format == "qcow2")
            Assert.Contains(Tool.Try("qemu-img", "check", disk).ExitCode, (int[])[0, 3]);
    }

    /// <summary>
    /// What open-iscsi finds, what it can be set to, in sessions of its own each, and what the kernel does where commands are lost to it. The answers
    /// are those that the initiator understood.
    /// </summary>
    [Fact]
    public async Task However_data_is_to_go_it_arrives_and_what_is_reset_or_aborted_is_written_again()
    {
        const string session = "node.session.iscsi.", connection = "node.conn[0].iscsi.";
        (string Row, string Agreed)[] rows =
        [
            ($"{session}InitialR2T=Yes {session}ImmediateData=No {session}MaxBurstLength=512 {session}FirstBurstLength=512 {connection}MaxRecvDataSegmentLength=512 {connection}MaxXmitDataSegmentLength=512",
                "1 DataDigest=None FirstBurstLength=512 HeaderDigest=None ImmediateData=No InitialR2T=Yes MaxBurstLength=512 MaxOutstandingR2T=1 MaxRecvDataSegmentLength=512 MaxXmitDataSegmentLength=512"),
            ($"{session}InitialR2T=No {session}ImmediateData=Yes {session}MaxBurstLength=16384 {session}FirstBurstLength=262144 {connection}MaxRecvDataSegmentLength=65536 {connection}MaxXmitDataSegmentLength=0",
                "1 DataDigest=None FirstBurstLength=16384 HeaderDigest=None ImmediateData=Yes InitialR2T=No MaxBurstLength=16384 MaxOutstandingR2T=1 MaxRecvDataSegmentLength=65536 MaxXmitDataSegmentLength=262144"),
            ($"{session}ImmediateData=No {session}MaxBurstLength=8192 {session}FirstBurstLength=4096 {session}MaxOutstandingR2T=8 {connection}MaxRecvDataSegmentLength=16777212 {connection}HeaderDigest=CRC32C {connection}DataDigest=CRC32C",
                "1 DataDigest=CRC32C FirstBurstLength=4096 HeaderDigest=CRC32C ImmediateData=No InitialR2T=No MaxBurstLength=8192 MaxOutstandingR2T=4 MaxRecvDataSegmentLength=16777212 MaxXmitDataSegmentLength=262144"),
            ($"{session}ImmediateData=Yes {session}InitialR2T=Yes {session}MaxBurstLength=16776192 {session}FirstBurstLength=262144 {connection}HeaderDigest=None,CRC32C {connection}DataDigest=CRC32C,None node.session.nr_sessions=4",
                "4 DataDigest=CRC32C FirstBurstLength=262144 HeaderDigest=None ImmediateData=Yes InitialR2T=Yes MaxBurstLength=1048576 MaxOutstandingR2T=4 MaxRecvDataSegmentLength=16777212 MaxXmitDataSegmentLength=262144"),
        ];
        var disk = Path.Combine(_folder.Path, "disk.raw");
        Tool.Run("qemu-img", "create", "-q", "-f", "raw", disk, "64M");
        var guest = await GuestAsync("negotiations", "None", "SHA256", ("rows", $"'{string.Join(';', rows.Select(r => r.Row))}'"));
        using var target = Serve(disk, "--fault", "delay=7s on=write from=50M length=64K times=1");
        using var machine = guest.Start(_network);
        Assert.Equal(0, await machine.EndAsync(Patience));
        AssertDone(machine, target, "RECOVERED: 16 resets and an abort");
        AssertDone(machine, target, $"DISCOVERED {Portal},1 {TargetName}");
        Assert.Contains(target.Lines, l => l.Contains("logged in to discovery (CHAP Sha256, mutual)", StringComparison.Ordinal));
        Assert.Equal(rows.Select(r => "SETTINGS " + r.Agreed), machine.Lines.Where(l => l.Contains("SETTINGS ", StringComparison.Ordinal)).Select(l => l.Trim()));
    }

    /// <summary>
    /// Who holds a disk is known to a server that was killed, and what the other may not do stays forbidden. In the end it copies blocks.
    /// The guest asks at a portal that sends it to the disk's: at first, and again when its sessions were lost.
    /// </summary>
    [Fact]
    public async Task Reservations_outlive_a_server_that_is_killed()
    {
        const string moved = $"{LinuxGuest.Server}:3261";
        var disk = Path.Combine(_folder.Path, "disk.raw");
        var former = Path.Combine(_folder.Path, "former.raw");
        foreach (var path in (string[])[disk, former])
        {
            using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write);
            RandomAccess.SetLength(file, 16 << 20);
        }
        var guest = await GuestAsync("reservations", "None", "SHA256");
        using var asked = ServeAt(Portal, former, "--redirect", moved);
        var target = ServeAt(moved, disk);
        try
        {
            using var machine = guest.Start(_network);
            machine.WaitFor("RESERVED", Patience);
            Assert.Equal(2, Sent());
            target.Dispose();
            target = ServeAt(moved, disk);
            machine.Type("killed");
            Assert.Equal(0, await machine.EndAsync(Patience));
            AssertDone(machine, target, "RESERVATIONS DONE");
            AssertDone(machine, target, "COPIES DONE");
            Assert.True(Sent() >= 4, string.Join('\n', asked.Lines));
        }
        finally
        {
            target.Dispose();
        }

        int Sent() => asked.Lines.Count(l => l.Contains($"sent to {moved} (status 0101)", StringComparison.Ordinal));
    }

    /// <summary>One disk that multipathd has found by two portals, one of which goes and comes back while blocks are written and verified.</summary>
    [Fact]
    public async Task Of_two_paths_to_a_disk_one_is_enough()
    {
        const string second = "10.79.0.1";
        _network.Ip("addr", "add", $"{second}/24", "dev", "br0");
        var disk = Path.Combine(_folder.Path, "disk.raw");
        Tool.Run("qemu-img", "create", "-q", "-f", "raw", disk, "64M");
        var guest = await GuestAsync("paths", "None", "SHA256", ("second", $"{second}:3260"), ("writers", "2"));
        using var target = Serve(disk, "--portal", second);
        using var machine = guest.Start(_network);
        machine.WaitFor("PATHS 2", Patience);
        Assert.Contains(machine.Lines, l => l.Contains("mpatha (33", StringComparison.Ordinal) && l.Contains("dm-0 SLIPWAY,", StringComparison.Ordinal));
        Assert.Equal(2, machine.Lines.Count(l => l.Contains("port group 1 rel port 1", StringComparison.Ordinal)));
        // One group of both, with the priority of what is active and optimized.
        Assert.Single(machine.Lines, l => l.Contains("prio=50 status=active", StringComparison.Ordinal));

        Written();
        _network.Ip("addr", "del", $"{second}/24", "dev", "br0");
        machine.WaitFor("PATHS 1", Patience);
        Written();
        _network.Ip("addr", "add", $"{second}/24", "dev", "br0");
        machine.WaitFor("PATHS 2", Patience, times: 2);
        Written();
        machine.Type("enough");
        Assert.Equal(0, await machine.EndAsync(Patience));
        Assert.Contains(machine.Lines, l => l.Contains("VERIFIER DONE", StringComparison.Ordinal));
        Assert.Contains(machine.Lines, l => l.Contains("GUEST DONE", StringComparison.Ordinal));
        // The path that was gone has errors; the disk has none.
        Assert.DoesNotContain(machine.Lines, l => l.Contains("error, dev dm-0", StringComparison.Ordinal));

        // Writes that were acknowledged from here on.
        void Written() => machine.WaitFor(Progress, Patience, machine.Lines.Count(l => l.Contains(Progress, StringComparison.Ordinal)) + 5);
    }

    /// <summary>As many units as a target has, one of them a CD-ROM drive: sd and sr find each, and each has its own content.</summary>
    [Fact]
    public async Task Every_unit_of_256_is_found_and_one_is_a_cd()
    {
        const int units = 256, cd = 1;
        var disc = Directory.CreateDirectory(Path.Combine(_folder.Path, "disc")).FullName;
        for (var i = 0; i < 20; i++)
            await File.WriteAllBytesAsync(Path.Combine(disc, $"file-{i}"), RandomNumberGenerator.GetBytes((i * i * 1009) + 1), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(disc, "SUMS"), Tool.Run("sh", "-c", $"cd {disc} && sha256sum file-*").Output, TestContext.Current.CancellationToken);
        var iso = Path.Combine(_folder.Path, "disc.iso");
        Tool.Run("genisoimage", "-quiet", "-R", "-V", "SLIPWAY", "-o", iso, disc);
        var files = Enumerable.Range(0, units).Select(lun => lun == cd ? $"{iso},cdrom" : UnitOf(lun)).ToArray();

        var guest = await GuestAsync("units", "None", "MD5", ("units", $"{units}"));
        using var target = Serve(files);
        using var machine = guest.Start(_network);
        Assert.Equal(0, await machine.EndAsync(Patience));
        AssertDone(machine, target, $"UNITS DONE: {units - 1} disks and a CD named SLIPWAY with 20 files");

        // libiscsi addresses units above 255 in flat space (SAM-5 §4.7.7.3); the target has none there.
        Assert.Equal(0, Inquire(units - 1).ExitCode);
        foreach (var lun in (int[])[units, units + 1, 0x3FFF])
            Assert.Contains("LOGICAL_UNIT_NOT_SUPPORTED(0x2500)", Inquire(lun).All, StringComparison.Ordinal);

        ToolResult Inquire(int lun) => Tool.Try("ip", "netns", "exec", _network.Name, "env",
            "LIBISCSI_CHAP_USERNAME=guest", $"LIBISCSI_CHAP_PASSWORD={File.ReadAllText(Secret)}",
            "LIBISCSI_CHAP_TARGET_USERNAME=disk", $"LIBISCSI_CHAP_TARGET_PASSWORD={File.ReadAllText(ReverseSecret)}",
            "iscsi-inq", $"iscsi://{Portal}/{TargetName}/{lun}");

        string UnitOf(int lun)
        {
            var path = Path.Combine(_folder.Path, $"unit-{lun}.raw");
            using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write);
            RandomAccess.Write(file, Encoding.ASCII.GetBytes($"unit {lun}\n"), 0);
            RandomAccess.SetLength(file, 1 << 20);
            return path;
        }
    }

    private BackgroundTool Serve(params string[] disks) => ServeAt(Portal, disks);

    private BackgroundTool ServeAt(string portal, params string[] arguments)
    {
        var target = _network.Start([Demo.Program, "target", .. arguments, "--portal", portal, "--iqn", TargetName,
            "--chap-user", "guest", "--chap-secret-file", Secret, "--reverse-user", "disk", "--reverse-secret-file", ReverseSecret]);
        target.WaitFor("iscsi://");
        return target;
    }

    private Task<LinuxGuest> GuestAsync(string work, string digest, string algorithm, params (string Name, string Value)[] settings)
    {
        File.WriteAllText(Secret, "guest's own secret");
        File.WriteAllText(ReverseSecret, "the disk's own secret");
        var all = settings.ToDictionary(s => s.Name, s => s.Value);
        (all["work"], all["target"], all["portal"]) = (work, TargetName, Portal);
        return LinuxGuest.BuildAsync(_folder.Path, all,
        [
            "node.session.auth.authmethod = CHAP", $"node.session.auth.chap_algs = {algorithm}",
            "node.session.auth.username = guest", $"node.session.auth.password = {File.ReadAllText(Secret)}",
            "node.session.auth.username_in = disk", $"node.session.auth.password_in = {File.ReadAllText(ReverseSecret)}",
            "discovery.sendtargets.auth.authmethod = CHAP", $"discovery.sendtargets.auth.chap_algs = {algorithm}",
            "discovery.sendtargets.auth.username = guest", $"discovery.sendtargets.auth.password = {File.ReadAllText(Secret)}",
            "discovery.sendtargets.auth.username_in = disk", $"discovery.sendtargets.auth.password_in = {File.ReadAllText(ReverseSecret)}",
            $"node.conn[0].iscsi.HeaderDigest = {digest}", $"node.conn[0].iscsi.DataDigest = {digest}",
            // Where another path has the disk, a session that is gone is to be noticed. (How long it keeps its commands is multipathd's to say.)
            .. work == "paths" ? ["node.conn[0].timeo.noop_out_interval = 1", "node.conn[0].timeo.noop_out_timeout = 2"] : Array.Empty<string>(),
        ]);
    }

    private static void AssertDone(BackgroundTool machine, BackgroundTool target, string what)
    {
        var console = string.Join('\n', machine.Lines);
        // What the server saw of it meanwhile is the half that the guest cannot tell.
        var both = $"{console}\nThe server:\n{string.Join('\n', target.Lines)}";
        Assert.True(machine.Lines.Any(l => l.Contains(what, StringComparison.Ordinal)), both);
        Assert.True(machine.Lines.Any(l => l.Contains("GUEST DONE", StringComparison.Ordinal)), both);
        Assert.False(console.Contains("I/O error", StringComparison.Ordinal), both);
    }
}
