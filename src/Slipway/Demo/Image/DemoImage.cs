using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;
using Slipway.Demo.Packages;
using Slipway.Disks;
using Slipway.Disks.Fat;
using Slipway.Disks.Partitions;
using Slipway.Host;
using Slipway.Ipxe.Media;
using Slipway.Server.Boot.Scripts;

namespace Slipway.Demo.Image;

/// <summary>
/// Makes the disk that a demo machine boots from: a GPT, an EFI system partition with GRUB, kernel and initial RAM disk,
/// and an ext4 root with busybox. Needs neither root nor loop devices.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class DemoImage(GuestArchitecture architecture, DemoParts parts)
{
    /// <summary>What the machine wrote to its root when it was up.</summary>
    public const string BootRecord = "/etc/slipway-boot";

    /// <summary>On the root: whether the machine stays up (<c>stay</c>) or not (<c>poweroff</c>).</summary>
    public const string AfterBoot = "/etc/slipway-after-boot";

    private const long Megabyte = 1 << 20;
    private const long RootLength = 24 * Megabyte, BiosLength = Megabyte;
    private const string GrubModules = "part_gpt fat normal linux configfile search search_label echo loadenv";

    /// <summary>The image, from <paramref name="folder"/> where it was made before of the same parts.</summary>
    public async Task<string> EnsureAsync(string folder, Action<string> progress, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        using var turn = await FolderLock.TakeAsync(folder, () => progress("waiting for another demo that makes its disk"), cancellation);
        var image = Path.Combine(folder, $"demo-{architecture.Debian}-{Key()}.raw");
        if (File.Exists(image)) return image;
        foreach (var old in Directory.GetFiles(folder, $"demo-{architecture.Debian}-*")) File.Delete(old);

        progress($"building the demo's disk ({architecture.Debian}, kernel {parts.KernelVersion})");
        var work = Directory.CreateTempSubdirectory("slipway-demo-").FullName;
        try
        {
            var disk = await BuildAsync(work, cancellation);
            var partial = image + ".partial";
            await using (var stream = File.Create(partial)) disk.CopyTo(stream);
            File.Move(partial, image);
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
        return image;
    }

    private async Task<MemoryDisk> BuildAsync(string work, CancellationToken cancellation)
    {
        var boot = new FatImage { Label = "DEMOESP" };
        boot.Add($"EFI/BOOT/{architecture.BootProgram}", await GrubAsync(work, parts.Grub, architecture.GrubFormat, GrubModules, cancellation));
        boot.Add("grub.cfg", GrubConfiguration());
        boot.Add(GrubEnvironment.FilePath.TrimStart('/'), GrubEnvironment.Write(""));
        boot.Add("vmlinuz", await File.ReadAllBytesAsync(Path.Combine(parts.System, "boot", $"{architecture.Kernel}-{parts.KernelVersion}"), cancellation));
        boot.Add("initrd.img", Initramfs.Build(parts));
        var root = await RootAsync(work, cancellation);

        // Room for a second kernel, as an operator's own disk would have.
        var bootLength = (2 * boot.ContentLength + 8 * Megabyte) / Megabyte * Megabyte;
        var disk = new MemoryDisk(Megabyte + bootLength + RootLength + BiosLength + Megabyte);
        await boot.WriteAsync(new DiskRegion(disk, Megabyte, bootLength), cancellation: cancellation);
        await disk.WriteAsync(Megabyte + bootLength, root, cancellation);
        await GptWriter.WriteAsync(disk, Guid.NewGuid(),
        [
            new(1, PartitionTypes.EfiSystem, 0, "demo boot", Megabyte, bootLength, Guid.NewGuid()),
            new(2, PartitionTypes.LinuxFileSystem, 0, "demo root", Megabyte + bootLength, RootLength, Guid.NewGuid()),
            new(3, PartitionTypes.BiosBoot, 0, "demo BIOS boot", Megabyte + bootLength + RootLength, BiosLength, Guid.NewGuid()),
        ], cancellation: cancellation);
        if (parts.GrubBios is { } grub)
        {
            var core = await GrubAsync(work, grub, "i386-pc", "biosdisk " + GrubModules, cancellation);
            await BiosBoot.InstallAsync(disk, await File.ReadAllBytesAsync(Path.Combine(grub, "boot.img"), cancellation), core,
                Megabyte + bootLength + RootLength, BiosLength, cancellation);
        }
        return disk;
    }

    private static Task<byte[]> GrubAsync(string work, string grub, string format, string modules, CancellationToken cancellation) =>
        GrubCore.MakeAsync(work, grub, format, DemoFile.Read("grub-early.cfg"), modules.Split(' '), cancellation);

    private byte[] GrubConfiguration() => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(DemoFile.Read("grub.cfg"))
        .Replace("@VERSION@", parts.KernelVersion, StringComparison.Ordinal)
        .Replace("@CONSOLE@", architecture.KernelConsole, StringComparison.Ordinal));

    private async Task<byte[]> RootAsync(string work, CancellationToken cancellation)
    {
        const UnixFileMode program = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
            | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
        var tree = Path.Combine(work, "root");
        foreach (var directory in (string[])["bin", "sbin", "proc", "sys", "dev", "run", "etc"])
            Directory.CreateDirectory(Path.Combine(tree, directory), program);
        await AddAsync("bin/busybox", await File.ReadAllBytesAsync(Path.Combine(parts.System, "bin/busybox"), cancellation));
        await AddAsync("sbin/init", DemoFile.Read("root-init"));
        // This busybox's own TLS offers nothing newer than SHA-1 signatures; it uses openssl where it finds it.
        var openssl = await File.ReadAllBytesAsync(Path.Combine(parts.System, "usr/bin/openssl"), cancellation);
        await AddAsync("bin/openssl", openssl);
        foreach (var (place, content) in SharedLibraries.Of(openssl, parts.System))
            await AddAsync(place, content);
        await File.WriteAllTextAsync(tree + AfterBoot, "poweroff\n", cancellation);

        var image = Path.Combine(work, "root.ext4");
        await HostProgram.RunAsync("mke2fs",
            ["-q", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-L", "demoroot", "-d", tree, image, $"{RootLength / Megabyte}M"], cancellation);
        return await File.ReadAllBytesAsync(image, cancellation);

        async Task AddAsync(string place, byte[] content)
        {
            var path = Path.Combine(tree, place);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!, program);
            await File.WriteAllBytesAsync(path, content, cancellation);
            File.SetUnixFileMode(path, program);
        }
    }

    /// <summary>Changes with the packages, the files and the code that go into the image.</summary>
    private string Key()
    {
        var ingredients = string.Join('\n', [typeof(DemoImage).Module.ModuleVersionId.ToString(), .. parts.Versions]);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(ingredients)))[..12];
    }
}
