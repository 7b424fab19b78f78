using System.IO.Compression;
using System.Text;
using Slipway.Demo;
using Slipway.Demo.Image;
using Slipway.Demo.Machine;
using Slipway.Demo.Packages;
using Slipway.Server.Tests.Net;

namespace Slipway.EndToEnd.Guest;

/// <summary>
/// A virtual machine with Debian's kernel and open-iscsi that logs in to a target, works on its disk and says how it
/// went: <c>GUEST DONE</c> or <c>GUEST FAILED</c> on its console.
/// </summary>
internal sealed class LinuxGuest
{
    /// <summary>Where it looks for its server; it has the address after that.</summary>
    public const string Server = "10.78.0.1";

    // sg_persist and its kin; for iscsid and iscsiadm, every library that they ask for beyond what the demo has.
    private static readonly string[] Packages =
        ["libisns0", "libmount1", "libblkid1", "libselinux1", "libpcre2-8-0", "libsystemd0", "libcap2", "libgcrypt20", "libgpg-error0", "liblz4-1",
        "sg3-utils", "libsgutils2-1.46-2"];

    private static readonly string[] Modules = ["virtio_pci", "virtio_net", "virtio_rng", "crc32c_generic", "sd_mod", "sr_mod", "iscsi_tcp", "ext4", "isofs"];

    private readonly DemoParts _parts;
    private readonly string _initramfs;

    private LinuxGuest(DemoParts parts, string initramfs) => (_parts, _initramfs) = (parts, initramfs);

    /// <param name="settings">What <c>guest.conf</c> says: <c>work</c>, <c>target</c>, <c>portal</c> and what the work needs.</param>
    /// <param name="daemon">Lines for <c>iscsid.conf</c>; secrets belong here.</param>
    public static async Task<LinuxGuest> BuildAsync(string folder, IReadOnlyDictionary<string, string> settings, IEnumerable<string> daemon)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var cache = Path.Combine(DemoCache.Folder, GuestArchitecture.Amd64.Debian, "packages");
        var parts = await DemoParts.EnsureAsync(GuestArchitecture.Amd64, cache, Progress, cancellation, Packages);
        var verifier = Path.Combine(folder, "verifier");
        Tool.Run("gcc", "-O2", "-static", "-Wall", "-Werror", "-o", verifier, Source("verifier.c"));

        var initramfs = Path.Combine(folder, "guest.cpio.gz");
        await using (var file = File.Create(initramfs))
        await using (var compressed = new GZipStream(file, CompressionLevel.Fastest))
        {
            var archive = new CpioArchive(compressed);
            foreach (var directory in (string[])["dev", "proc", "sys", "run", "mnt", "var/lib/iscsi", "var/lock"])
                archive.AddDirectory(directory);
            archive.AddFile("init", File.ReadAllBytes(Source("init")));
            archive.AddFile("bin/busybox", File.ReadAllBytes(Path.Combine(parts.System, "bin/busybox")));
            archive.AddFile("bin/verifier", File.ReadAllBytes(verifier));
            var libraries = new HashSet<string>();
            foreach (var program in (string[])["sbin/iscsid", "sbin/iscsiadm", "usr/bin/sg_persist", "usr/bin/sg_xcopy", "usr/bin/sg_copy_results"])
            {
                var content = File.ReadAllBytes(Path.Combine(parts.System, program));
                archive.AddFile(program, content);
                foreach (var (place, library) in SharedLibraries.Of(content, parts.System).Where(l => libraries.Add(l.Key)))
                    archive.AddFile(place, library);
            }
            Add(archive, "etc/iscsi/iscsid.conf", [.. (await File.ReadAllLinesAsync(Path.Combine(parts.System, "etc/iscsi/iscsid.conf"), cancellation))
                .Where(line => !line.StartsWith("iscsid.startup", StringComparison.Ordinal)), .. daemon]);
            Add(archive, "etc/iscsi/initiatorname.iscsi", ["InitiatorName=iqn.2026-11.test:guest"]);
            // iscsid asks who talks to it, and takes orders from "root" only.
            Add(archive, "etc/passwd", ["root:x:0:0:root:/:/bin/sh"]);
            Add(archive, "guest.conf", [.. settings.Select(s => $"{s.Key}={s.Value}")]);
            Initramfs.AddModules(archive, parts, Modules);
            archive.Finish();
        }
        return new LinuxGuest(parts, initramfs);
    }

    public BackgroundTool Start(NetworkNamespace network) => network.Start(
    [
        "qemu-system-x86_64", "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max,la57=off", .. QemuCommand.OneProcessor, "-m", "768",
        "-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot",
        "-kernel", Path.Combine(_parts.System, "boot", "vmlinuz-" + _parts.KernelVersion), "-initrd", _initramfs, "-append", "console=ttyS0 quiet panic=-1",
        "-netdev", $"tap,id=n0,ifname={GuestNetwork.Tap},script=no,downscript=no", "-device", "virtio-net-pci,netdev=n0,romfile=", "-device", "virtio-rng-pci",
    ]);

    private static void Add(CpioArchive archive, string path, IEnumerable<string> lines) =>
        archive.AddFile(path, Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n"));

    private static void Progress(string text) => TestContext.Current.SendDiagnosticMessage(text);

    private static string Source(string name) => Path.Combine(AppContext.BaseDirectory, "Guest", name);
}
