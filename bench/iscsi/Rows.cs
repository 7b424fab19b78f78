using System.Diagnostics;
using Slipway.Bench.Iscsi.Peers;
using Slipway.Bench.Peers;

namespace Slipway.Bench.Iscsi;

/// <summary>All rows, in the order of the table.</summary>
internal sealed class Rows(Loads loads)
{
    private const string Slipway = "Slipway", OnDotnet = "on .NET", Floor = "floor", Tgt = "tgt";
    private const int Writes = 60_000, IdleSessions = 1000;
    private static readonly int[] SessionCounts = [1, 8];
    private static readonly string[] Random4K = ["-b", "8", "-r"];
    private static readonly string[] Sequential128K = ["-b", "256"];

    public IEnumerable<Row> All =>
    [
        Perf("rand4k-qd1", "4 KiB random read, QD 1, two cores", 0.95, Placement.TwoCores, ["-m", "1", .. Random4K]),
        Perf("rand4k-qd1-one-core", "4 KiB random read, QD 1, one core", 0.85, Placement.OneCore, ["-m", "1", .. Random4K]),
        Perf("rand4k-qd32", "4 KiB random read, QD 32", 0.85, Placement.TwoCores, ["-m", "32", .. Random4K]),
        Perf("seq128k-qd32", "128 KiB read, QD 32", 0.90, Placement.TwoCores, ["-m", "32", .. Sequential128K]),
        new("write4k-qd32", "4 KiB write, QD 32", "IOPS", Slipway, Tgt, new(1.5), null, bench =>
        {
            var (slipway, tgt) = (new SlipwayTarget(bench), new Tgt(bench));
            return Pinned(Placement.TwoCores, [(Slipway, slipway), (Tgt, tgt)], peer => Loads.QemuWrite(peer.Address.Url, Placement.TwoCores, Writes));
        }),
        Digests("digests-rand4k", "4 KiB random read, QD 32, CRC32C digests", 8, random: true),
        Digests("digests-seq128k", "128 KiB read, QD 32, CRC32C digests", 256, random: false),
        new("connections", "128 KiB read, eight connections of QD 32, on two cores with the client", "IOPS", $"{Slipway}, 8", $"{Slipway}, 1", new(1.5), ($"{Tgt}, 8", $"{Tgt}, 1"), bench =>
        {
            (string Name, Peer Peer)[] peers = [(Slipway, new SlipwayTarget(bench)), (Tgt, new Tgt(bench)), (Floor, new Floor(bench))];
            return new Round(
                [.. peers.SelectMany(_ => SessionCounts, (p, sessions) => new Series($"{p.Name}, {sessions}", () => loads.Reads(p.Peer.Address, Placement.Free, sessions, 32, 256, random: false, digests: false)))],
                [.. peers.Select(p => p.Peer)]);
        }),
        Clone("clone-rand4k", "4 KiB random read of a qcow2 clone, QD 32", ["-m", "32", .. Random4K]),
        Clone("clone-seq128k", "128 KiB read of a qcow2 clone, QD 32", ["-m", "32", .. Sequential128K]),
        // In memory: of a file on a disk the kernel may take pages out of its cache while it is read, and one read in a hundred would measure the disk.
        new("tail", "p99.9 over the median, 4 KiB reads under mixed load, of a file in memory", "×", Slipway, null, new(5, AtMost: true), (Tgt, null), bench =>
            Pinned(
                Placement.TwoCores,
                [(Slipway, new SlipwayTarget(bench, bench.MemoryDisk("slipway.img"), 14302)), (Floor, new Floor(bench)), (Tgt, new Tgt(bench.MemoryDisk("tgt.img")))],
                peer => loads.Tail(peer.Address, Placement.TwoCores))),
        new("idle-sessions", "Resident memory with 1,000 idle sessions", "MiB", Slipway, null, new(120, AtMost: true), (Tgt, null), bench =>
            new Round([new(Slipway, () => Idle(bench, new SlipwayTarget(bench))), new(Tgt, () => Idle(bench, new Tgt(bench)))])),
        Allocation("allocated-read", "Bytes allocated per 4 KiB READ", bench => new AllocationCount(bench, loads).Reads()),
        Allocation("allocated-write", "Bytes allocated per 4 KiB WRITE", bench => new AllocationCount(bench, loads).Writes()),
        new("start", "From start to listening", "ms", Slipway, null, null, (Tgt, null), bench =>
            new Round([new(Slipway, () => Start(() => new SlipwayTarget(bench, native: true))), new(OnDotnet, () => Start(() => new SlipwayTarget(bench))), new(Tgt, () => Start(() => new Tgt(bench)))])),
        new("volume-create", "slipway volume create, the whole command (qemu-img create beside it)", "ms", Slipway, null, new(50, AtMost: true), ("qemu-img", null), bench =>
        {
            var made = 0;
            return new Round(
            [
                new(Slipway, () => Create(bench.Native)),
                new("with --json", () => Create(bench.Native, "--json")),
                new(OnDotnet, () => Create(bench.Slipway)),
                new("qemu-img", () => Tool.Milliseconds("qemu-img", "create", "-f", "qcow2", bench.NewFile($"q{++made}.qcow2"), "20G")),
            ]);

            double Create(string program, params string[] options) =>
                Tool.Milliseconds(program, ["volume", "create", $"v{++made}", "--size", "20G", "--state", bench.State, .. options]);
        }),
    ];

    private Row Perf(string id, string work, double bar, Placement placement, string[] options) =>
        new(id, work, "IOPS", Slipway, Floor, new(bar), (Tgt, Floor), bench => Pinned(
            placement,
            [(Floor, new Floor(bench)), (Tgt, new Tgt(bench)), (Slipway, new SlipwayTarget(bench))],
            peer => loads.Perf(peer.Address, placement, options)));

    private Row Digests(string id, string work, int blocks, bool random) =>
        new(id, work, "IOPS", "digests", "none", new(0.8), null, bench =>
        {
            var slipway = new SlipwayTarget(bench);
            slipway.Pin(Placement.TwoCores.Server);
            return new Round([Of("none", false), Of("digests", true)], slipway);

            Series Of(string name, bool digests) => new(name, () => loads.Reads(slipway.Address, Placement.TwoCores, 1, 32, blocks, random, digests));
        });

    private Row Clone(string id, string work, string[] options) =>
        new(id, work, "IOPS", "clone", "raw", new(0.9), null, bench =>
        {
            var clone = bench.NewFile("clone.qcow2");
            var golden = bench.Disk("golden.img");
            if (!File.Exists(clone))
                Tool.Run("qemu-img", "create", "-q", "-f", "qcow2", "-b", golden, "-F", "raw", clone);
            return Pinned(
                Placement.TwoCores,
                [("raw", new SlipwayTarget(bench)), ("clone", new SlipwayTarget(bench, clone, 14301))],
                peer => loads.Perf(peer.Address, Placement.TwoCores, options));
        });

    private static Row Allocation(string id, string work, Func<Bench, double> count) =>
        new(id, work, "bytes", Slipway, null, new(0, AtMost: true), null, bench => new Round([new(Slipway, () => count(bench))]));

    private static Round Pinned(Placement placement, (string Name, Peer Peer)[] peers, Func<Peer, double> measure)
    {
        foreach (var (_, peer) in peers)
            peer.Pin(placement.Server);
        return new Round([.. peers.Select(p => new Series(p.Name, () => measure(p.Peer)))], [.. peers.Select(p => p.Peer)]);
    }

    private static double Idle(Bench bench, Peer peer)
    {
        using var target = peer;
        using var load = Process.Start(new ProcessStartInfo(bench.Program("load"), ["idle", $"{IdleSessions}", peer.Address.Url]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        var ready = load.StandardOutput.ReadLine() == "ready";
        var size = peer.ResidentSet / (double)(1 << 20);
        load.Kill();
        return ready ? size : throw new InvalidOperationException($"{IdleSessions} sessions could not log in to {peer.Address.Url}");
    }

    private static double Start(Func<Peer> start)
    {
        using var peer = start();
        return peer.StartTime.TotalMilliseconds;
    }
}
