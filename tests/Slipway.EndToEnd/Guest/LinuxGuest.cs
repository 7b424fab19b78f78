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

    // For the work "paths": the daemon with its plug-ins, and udev, which names disks to it by their VPD page 83.
    private static readonly string[] MultipathPackages =
        ["multipath-tools", "udev", "libudev1", "libdevmapper1.02.1", "dmsetup", "liburcu8", "libjson-c5", "libaio1", "libedit2", "libbsd0", "libmd0", "libtinfo6",
        "libacl1", "libgcc-s1"];

    private static readonly string[] MultipathPrograms =
        ["sbin/multipath", "sbin/multipathd", "lib/multipath/libchecktur.so", "lib/multipath/libprioalua.so", "lib/multipath/libprioconst.so", "lib/multipath/libpriosysfs.so",
        "lib/multipath/libforeign-nvme.so", "bin/udevadm", "lib/udev/scsi_id", "sbin/dmsetup"];

    private static readonly string[] MultipathRules =
        ["50-udev-default", "55-dm", "56-dm-mpath", "60-block", "60-multipath", "60-persistent-storage", "60-persistent-storage-dm", "95-dm-notify"];

    private static readonly string[] MultipathModules = ["dm_multipath", "dm_service_time", "scsi_dh_alua"];

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
        var multipath = settings["work"] == "paths";
        var parts = await DemoParts.EnsureAsync(GuestArchitecture.Amd64, cache, Progress, cancellation, [.. Packages, .. multipath ? MultipathPackages : []]);
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
            string[] programs = ["sbin/iscsid", "sbin/iscsiadm", "usr/bin/sg_persist", "usr/bin/sg_reset", "usr/bin/sg_xcopy", "usr/bin/sg_copy_results", .. multipath ? MultipathPrograms : []];
            foreach (var program in programs)
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
            if (multipath)
            {
                archive.AddFile("etc/multipath.conf", File.ReadAllBytes(Source("multipath.conf")));
                // glibc loads it when a thread is cancelled.
                archive.AddFile("lib/libgcc_s.so.1", File.ReadAllBytes(Path.Combine(parts.System, "lib/x86_64-linux-gnu/libgcc_s.so.1")));
                // The daemon is the same program by another name.
                archive.AddFile("sbin/systemd-udevd", File.ReadAllBytes(Path.Combine(parts.System, "bin/udevadm")));
                foreach (var rules in MultipathRules)
                    archive.AddFile($"lib/udev/rules.d/{rules}.rules", File.ReadAllBytes(Path.Combine(parts.System, "lib/udev/rules.d", rules + ".rules")));
            }
            Initramfs.AddModules(archive, parts, [.. Modules, .. multipath ? MultipathModules : []]);
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
