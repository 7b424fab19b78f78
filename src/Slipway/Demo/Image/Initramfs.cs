using System.IO.Compression;
using System.Text;
using Slipway.Demo.Packages;

namespace Slipway.Demo.Image;

/// <summary>The demo machine's initial RAM disk: busybox, iscsistart with its libraries, the modules that lead to the disk.</summary>
internal static class Initramfs
{
    // Drivers of the cards that the demo's machines have, iSCSI, and the root's file system. ext4 and sd ask for their
    // checksums by name, so that modules.dep does not tell.
    private static readonly string[] Modules =
        ["virtio_pci", "virtio_net", "virtio_rng", "e1000", "8021q", "crc32c_generic", "sd_mod", "iscsi_ibft", "iscsi_tcp", "ext4"];

    public static byte[] Build(DemoParts parts)
    {
        using var packed = new MemoryStream();
        // It is read over iSCSI once and unpacked under emulation: a smaller one costs more than it saves.
        using (var compressed = new GZipStream(packed, CompressionLevel.Fastest))
        {
            var archive = new CpioArchive(compressed);
            foreach (var directory in (string[])["dev", "proc", "sys", "root", "run", "etc/iscsi"]) archive.AddDirectory(directory);
            archive.AddFile("init", DemoFile.Read("initramfs-init"));
            archive.AddFile("bin/lease", DemoFile.Read("initramfs-lease"));
            archive.AddFile("bin/busybox", File.ReadAllBytes(Path.Combine(parts.System, "bin/busybox")));
            var iscsistart = File.ReadAllBytes(Path.Combine(parts.System, "sbin/iscsistart"));
            archive.AddFile("sbin/iscsistart", iscsistart);
            foreach (var (place, content) in SharedLibraries.Of(iscsistart, parts.System)) archive.AddFile(place, content);
            AddModules(archive, parts, Modules);
            archive.Finish();
        }
        return packed.ToArray();
    }

    /// <summary>The modules, what they need, and <c>modules/order</c>: the order in which they can be loaded.</summary>
    public static void AddModules(CpioArchive archive, DemoParts parts, IEnumerable<string> names)
    {
        var files = new KernelModules(Path.Combine(parts.System, "lib/modules", parts.KernelVersion)).InLoadOrder(names);
        foreach (var file in files) archive.AddFile("modules/" + KernelModules.NameOf(file), KernelModules.Read(file));
        archive.AddFile("modules/order", Encoding.ASCII.GetBytes(string.Join('\n', files.Select(KernelModules.NameOf)) + "\n"));
    }
}
