using System.Text;
using Slipway.Disks.FileSystems;
using Slipway.Disks.Partitions;

namespace Slipway.Disks.Booting;

/// <summary>
/// The kernel, the initial RAM disks and the arguments that a disk's own boot loader would start. What its configuration
/// says counts: GRUB's with the Boot Loader Specification's entries, or extlinux's; where there is none, the links
/// <c>/vmlinuz</c> and <c>/initrd.img</c>, and then the newest <c>/boot/vmlinuz-*</c>.
/// </summary>
/// <param name="Source">Where it was found, for people.</param>
/// <param name="Arguments">As the configuration says, with <c>root=</c> added where it names none and the root is known.</param>
public sealed record BootFiles(string Source, BootFile Kernel, IReadOnlyList<BootFile> Initrds, string Arguments)
{
    private const int MostConfigurationBytes = 1 << 20;
    private const int MostEntries = 500;

    private static readonly string[] Prefixes = ["/boot", ""];

    /// <summary>What the disk would boot.</summary>
    /// <exception cref="DiskFormatException">There is no kernel; the message says where one was looked for.</exception>
    public static async Task<BootFiles> FindAsync(IBlockDevice disk, CancellationToken cancellation = default)
    {
        var volumes = await OpenAsync(disk, cancellation);
        foreach (var volume in volumes)
        {
            if (await ConfiguredAsync(volume, cancellation) is var (source, entry)
                && await ResolveAsync(volumes, volume, source, entry, cancellation) is { } found)
                return found;
        }
        foreach (var volume in volumes)
        {
            if (await NewestAsync(volume, cancellation) is var (source, entry)
                && await ResolveAsync(volumes, volume, source, entry, cancellation) is { } found)
                return found;
        }
        var journals = new List<string>();
        foreach (var volume in volumes)
        {
            if (await volume.FileSystem.HasMoreInJournalAsync(cancellation)) journals.Add($"; what only the journal of an {volume.FileSystem.Kind} volume holds, which was not unmounted, is not seen");
        }
        throw new DiskFormatException(
            "no kernel was found: no partition with a file system that is known (FAT, ext2, ext3, ext4, XFS) has loader/entries, grub.cfg or extlinux.conf with one, /vmlinuz, or /boot/vmlinuz-*"
            + string.Concat(journals.Distinct()));
    }

    /// <summary>Named files, in whichever partition has them.</summary>
    /// <exception cref="DiskFormatException">One is not there.</exception>
    public static async Task<BootFiles> FindAsync(IBlockDevice disk, string kernel, IReadOnlyList<string> initrds, CancellationToken cancellation = default)
    {
        var volumes = await OpenAsync(disk, cancellation);
        var files = new List<BootFile>();
        foreach (var path in initrds.Prepend(kernel))
            files.Add(await FindAsync(volumes, null, path, cancellation) ?? throw new DiskFormatException($"{path} is in no partition{Searched(volumes)}"));
        return new("the profile's paths", files[0], files[1..], await WithRootAsync(volumes, "", cancellation));
    }

    private static string Searched(IReadOnlyList<BootVolume> volumes) => volumes.Count == 0
        ? $": none has a file system that is known ({FileSystem.Kinds})"
        : $" that can be read: there are {string.Join(", ", volumes.Select(v => v.Partition is { } p ? $"{p.Number} ({v.FileSystem.Kind})" : $"the whole disk ({v.FileSystem.Kind})"))}";

    private static async Task<IReadOnlyList<BootVolume>> OpenAsync(IBlockDevice disk, CancellationToken cancellation)
    {
        var table = await PartitionTable.ReadAsync(disk, cancellation);
        var volumes = new List<BootVolume>();
        await foreach (var (partition, fileSystem) in FileSystem.InPartitionsAsync(disk, table, cancellation))
            volumes.Add(new(fileSystem, partition));
        if (table.Partitions.Count == 0 && await FileSystem.DetectAsync(DiskRegion.Whole(disk), cancellation) is { } whole)
            volumes.Add(new(whole, null));
        return volumes;
    }

    private static async Task<(string Source, BootEntry Entry)?> ConfiguredAsync(BootVolume volume, CancellationToken cancellation)
    {
        var environment = await EnvironmentAsync(volume, cancellation);
        foreach (var prefix in Prefixes)
        {
            if (await EntriesAsync(volume, $"{prefix}/loader/entries", environment, cancellation) is { } entry)
                return ($"{prefix}/loader/entries/{entry.Name}.conf", entry);
        }
        foreach (var path in (string[])["/boot/grub/grub.cfg", "/grub/grub.cfg", "/boot/grub2/grub.cfg", "/grub2/grub.cfg", "/grub.cfg"])
        {
            if (await TextAsync(volume, path, cancellation) is { } text && GrubConfiguration.Default(text, environment) is { } entry)
                return (path, entry);
        }
        foreach (var path in (string[])["/boot/extlinux/extlinux.conf", "/extlinux/extlinux.conf", "/extlinux.conf", "/syslinux/syslinux.cfg", "/syslinux.cfg"])
        {
            if (await TextAsync(volume, path, cancellation) is { } text && ExtlinuxConfiguration.Default(text) is { } entry)
                return (path, Beside(path, entry));
        }
        return null;
    }

    // Paths that are relative are so to the file that names them.
    private static BootEntry Beside(string configuration, BootEntry entry)
    {
        var folder = configuration[..configuration.LastIndexOf('/')];
        return entry with { Kernel = Path(entry.Kernel), Initrds = [.. entry.Initrds.Select(Path)] };

        string Path(string path) => path.StartsWith('/') ? path : $"{folder}/{path}";
    }

    private static async Task<BootEntry?> EntriesAsync(BootVolume volume, string folder, IReadOnlyDictionary<string, string> environment, CancellationToken cancellation)
    {
        if (await volume.FileSystem.FindAsync(folder, cancellation) is not { Kind: FileKind.Directory } directory)
            return null;
        var files = new Dictionary<string, string>();
        foreach (var file in (await volume.FileSystem.ListAsync(directory, cancellation)).Where(f => f.Kind == FileKind.File && f.Name.EndsWith(".conf", StringComparison.OrdinalIgnoreCase)).Take(MostEntries))
            files[file.Name[..^".conf".Length]] = await TextAsync(volume, file, cancellation);
        var wanted = environment.GetValueOrDefault("saved_entry");
        if (string.IsNullOrEmpty(wanted) && await TextAsync(volume, folder.Replace("/entries", "/loader.conf", StringComparison.Ordinal), cancellation) is { } loader)
            wanted = loader.Split('\n').Select(l => l.Trim()).FirstOrDefault(l => l.StartsWith("default ", StringComparison.Ordinal))?["default ".Length..].Trim();
        return LoaderEntries.Default(files, wanted, environment);
    }

    private static async Task<IReadOnlyDictionary<string, string>> EnvironmentAsync(BootVolume volume, CancellationToken cancellation)
    {
        foreach (var path in (string[])["/boot/grub/grubenv", "/grub/grubenv", "/boot/grub2/grubenv", "/grub2/grubenv"])
        {
            if (await TextAsync(volume, path, cancellation) is { } text)
                return GrubEnvironmentBlock.Read(text);
        }
        return new Dictionary<string, string>();
    }

    private static async Task<(string Source, BootEntry Entry)?> NewestAsync(BootVolume volume, CancellationToken cancellation)
    {
        foreach (var prefix in (string[])["", "/boot"])
        {
            foreach (var initrd in (string[])["/initrd.img", "/initrd", "/initramfs.img"])
            {
                if (await IsFileAsync($"{prefix}/vmlinuz") && await IsFileAsync(prefix + initrd))
                    return ($"{prefix}/vmlinuz", new("", $"{prefix}/vmlinuz", [prefix + initrd], ""));
            }
        }
        foreach (var prefix in Prefixes)
        {
            if (await volume.FileSystem.FindAsync(prefix + "/", cancellation) is not { Kind: FileKind.Directory } folder)
                continue;
            const string Kernel = "vmlinuz-";
            foreach (var version in (await volume.FileSystem.ListAsync(folder, cancellation))
                .Where(f => f.Name.StartsWith(Kernel, StringComparison.Ordinal)).Select(f => f.Name[Kernel.Length..]).OrderDescending(VersionOrder.Instance))
            {
                foreach (var initrd in (string[])[$"{prefix}/initrd.img-{version}", $"{prefix}/initramfs-{version}.img", $"{prefix}/initrd-{version}"])
                {
                    if (await IsFileAsync(initrd))
                        return ($"{prefix}/{Kernel}{version}", new(version, $"{prefix}/{Kernel}{version}", [initrd], ""));
                }
            }
        }
        return null;

        async Task<bool> IsFileAsync(string path) => await volume.FileSystem.FindAsync(path, cancellation) is { Kind: FileKind.File };
    }

    /// <summary>Null where a file that the entry names is not there: the next place may do better.</summary>
    private static async Task<BootFiles?> ResolveAsync(IReadOnlyList<BootVolume> volumes, BootVolume configured, string source, BootEntry entry, CancellationToken cancellation)
    {
        if (await FindAsync(volumes, configured, entry.Kernel, cancellation) is not { } kernel)
            return null;
        var initrds = new List<BootFile>();
        foreach (var path in entry.Initrds)
        {
            if (await FindAsync(volumes, configured, path, cancellation) is not { } initrd)
                return null;
            initrds.Add(initrd);
        }
        return new(source, kernel, initrds, await WithRootAsync(volumes, entry.Arguments, cancellation));
    }

    // Where the configuration is first: /boot may be a partition of its own, or the entry may name another one's files.
    private static async Task<BootFile?> FindAsync(IReadOnlyList<BootVolume> volumes, BootVolume? first, string path, CancellationToken cancellation)
    {
        foreach (var volume in volumes.OrderByDescending(v => v == first))
        {
            if (await volume.FileSystem.FindAsync(path, cancellation) is { Kind: FileKind.File } file)
                return new(path, volume.FileSystem, file);
        }
        return null;
    }

    private static async Task<string> WithRootAsync(IReadOnlyList<BootVolume> volumes, string arguments, CancellationToken cancellation)
    {
        if (arguments.Split(' ').Any(a => a.StartsWith("root=", StringComparison.Ordinal)))
            return arguments;
        foreach (var volume in volumes)
        {
            if (volume.Partition is { Id: var id } && id != Guid.Empty
                && await volume.FileSystem.FindAsync("/etc", cancellation) is { Kind: FileKind.Directory }
                && await volume.FileSystem.FindAsync("/sbin/init", cancellation) is not null)
                return $"{arguments} root=PARTUUID={id} ro".TrimStart();
        }
        return arguments;
    }

    private static async Task<string?> TextAsync(BootVolume volume, string path, CancellationToken cancellation) =>
        await volume.FileSystem.FindAsync(path, cancellation) is { Kind: FileKind.File } file ? await TextAsync(volume, file, cancellation) : null;

    private static async Task<string> TextAsync(BootVolume volume, FileEntry file, CancellationToken cancellation) =>
        Encoding.UTF8.GetString(await volume.FileSystem.ReadAllAsync(file, MostConfigurationBytes, cancellation));

    /// <param name="Partition">Null where the file system covers the whole disk.</param>
    private sealed record BootVolume(IFileSystem FileSystem, Partition? Partition);
}

/// <summary>A file of a disk that is booted, and where it is.</summary>
public sealed record BootFile(string Path, IFileSystem FileSystem, FileEntry Entry);
