using Slipway.Bench.Peers;
using Slipway.Bench.Volumes.Peers;

namespace Slipway.Bench.Volumes;

/// <summary>All rows, in the order of the table.</summary>
internal sealed class Rows(Loads loads, Golden golden)
{
    private const string Slipway = "Slipway", OnDotnet = "on .NET", Raw = "raw", Qemu = "QEMU", QemuExtended = "QEMU with extended L2", Cp = "cp", CpSync = "cp and sync";
    private const int Writes = 6000, Cluster = 64 << 10, Port = 14300;
    private static readonly string[] Random4K = ["-m", "32", "-b", "8", "-r"];

    public IEnumerable<Row> All =>
    [
        Reads("clone-rand4k", "4 KiB random read of a clone, QD 32, iSCSI", 0.9, layers: 1),
        Reads("chain-rand4k", "the same of a clone in five layers", 0.8, layers: 5),
        new("first-writes", "4 KiB writes into a fresh clone, each into another cluster, QD 32 (Slipway by iSCSI and TCP, qemu-nbd by a local socket)", "IOPS", Slipway, Qemu, new(1), (QemuExtended, Qemu), bench =>
        {
            var overlay = bench.NewFile("overlay.qcow2");
            return new Round(
            [
                new(Slipway, () =>
                {
                    var clone = golden.Clone();
                    double rate;
                    using (var target = new SlipwayTarget(bench, clone, Port))
                        rate = Write(target, target.Address.Url);
                    golden.Slipway("volume", "rm", clone);
                    return rate;
                }),
                Overlay(Qemu, []),
                Overlay(QemuExtended, ["-o", "extended_l2=on"]),
            ]);

            Series Overlay(string name, string[] options) => new(name, () =>
            {
                Tool.Run("qemu-img", ["create", "-q", "-f", "qcow2", .. options, "-b", golden.Disk, "-F", "raw", overlay]);
                double rate;
                using (var server = new QemuNbd(overlay, bench.NewFile("nbd")))
                    rate = Write(server, server.Url);
                File.Delete(overlay);
                return rate;
            });
        }),
        new("import-raw", "Import of a raw image", "MiB/s", Slipway, Cp, new(0.8), (CpSync, Cp), bench =>
        {
            var (source, copy) = (golden.Disk, bench.NewFile("copy.img"));
            return new Round(
            [
                Import(bench, Slipway, bench.Native, source, "raw", Bench.DiskMiB),
                Import(bench, OnDotnet, bench.Slipway, source, "raw", Bench.DiskMiB),
                Copy(bench, Cp, copy, Bench.DiskMiB, "cp", source, copy),
                Copy(bench, CpSync, copy, Bench.DiskMiB, "sh", "-c", "cp \"$0\" \"$1\" && sync \"$1\"", source, copy),
            ]);
        }),
        new("import-compressed", "Import of a compressed qcow2 (zlib)", "MiB/s", Slipway, "qemu-img convert", new(0.8), null, bench =>
        {
            var (source, copy) = (golden.Compressed, bench.NewFile("copy.img"));
            return new Round(
            [
                Import(bench, Slipway, bench.Slipway, source, "packed", Golden.CompressibleMiB),
                Copy(bench, "qemu-img convert", copy, Golden.CompressibleMiB, "qemu-img", "convert", "-f", "qcow2", "-O", "raw", source, copy),
            ]);
        }),
        new("clone-create", "Creating one of a thousand clones", "ms", Slipway, null, new(20, AtMost: true), ("qemu-img", null), bench =>
        {
            var (many, made) = (new ManyClones(bench, golden), 0);
            return new Round(
            [
                new(Slipway, many.Create),
                new("qemu-img", () => Tool.Milliseconds("qemu-img", "create", "-q", "-f", "qcow2", "-b", golden.Disk, "-F", "raw", bench.NewFile($"empty-{++made}.qcow2"))),
            ],
            many);
        }),
        new("clone-idle", "Memory of one of a thousand clones that are served and idle", "KiB", Slipway, null, new(64, AtMost: true), null, bench =>
        {
            var many = new ManyClones(bench, golden);
            return new Round([new(Slipway, many.Idle)], many);
        }),
    ];

    private Row Reads(string id, string work, double bar, int layers) =>
        new(id, work, "IOPS", Slipway, Raw, new(bar), null, bench =>
        {
            (string Name, Peer Peer)[] peers = [(Raw, new SlipwayTarget(bench, bench.Disk("raw.img"), Port)), (Slipway, new SlipwayTarget(bench, golden.Chain(layers), Port + 1))];
            foreach (var (_, peer) in peers)
                peer.Pin(Placement.TwoCores.Server);
            return new Round([.. peers.Select(p => new Series(p.Name, () => loads.Perf(p.Peer.Address, Placement.TwoCores, Random4K)))], [.. peers.Select(p => p.Peer)]);
        });

    private static double Write(Peer peer, string url)
    {
        peer.Pin(Placement.TwoCores.Server);
        return Loads.QemuWrite(url, Placement.TwoCores, Writes, Cluster + 4096);
    }

    private Series Import(Bench bench, string series, string program, string source, string name, int size) => new(series, () =>
    {
        BringMemory(bench);
        var time = Tool.Milliseconds(program, "image", "import", source, "--name", name, "--state", bench.State);
        golden.Slipway("image", "rm", name);
        return size / time * 1000;
    });

    private static Series Copy(Bench bench, string name, string copy, int size, string program, params string[] arguments) => new(name, () =>
    {
        BringMemory(bench);
        var time = Tool.Milliseconds(program, arguments);
        File.Delete(copy);
        return size / time * 1000;
    });

    // A virtual machine's host takes back what is free (free page reporting: two seconds after), and gives it page by page as it is
    // touched: whoever came first would pay. So each contender finds as much memory freed right before it, and before that the
    // host has taken what was free already: nothing is reported while the contender runs.
    private static void BringMemory(Bench bench)
    {
        var file = bench.NewFile("memory");
        // What was deleted is given back to the disk with the next commit of the journal, and the next flush would wait for it.
        Tool.Run("sync", "-f", Path.GetDirectoryName(file)!);
        Thread.Sleep(TimeSpan.FromSeconds(2.5));
        Tool.Run("dd", "if=/dev/zero", $"of={file}", "bs=1M", $"count={Bench.DiskMiB + Bench.DiskMiB / 8}", "conv=notrunc,fsync", "status=none");
        // Out of the page cache, and still on the disk.
        Tool.Run("dd", $"of={file}", "oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none");
    }
}
