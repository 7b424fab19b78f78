using System.CommandLine;
using Slipway.Disks;
using Slipway.Disks.FileSystems;
using Slipway.Disks.Partitions;
using Slipway.Volumes.Store;

namespace Slipway.Commands.Volumes;

/// <summary><c>slipway volume</c>: machines' own disks.</summary>
internal static class VolumeCommand
{
    public static Command Create() => new("volume", "Machines' own disks: clones of images, or blank.")
    {
        StoreCommand.State,
        StoreCommand.Json,
        Make(),
        new Command("list", "List the volumes.").Runs((store, _, _) => Task.FromResult(store.List()), volumes => string.Join('\n', volumes.Select(Line))),
        Remove(),
        Files(),
        Print(),
    };

    private static Command Make()
    {
        var name = StoreCommand.Name("NAME", "The volume's name");
        var image = new Option<string?>("--image") { Description = "Clone this image (name or name@version)" };
        var size = new Option<long?>("--size") { Description = "Or a blank disk of so many GiB" };
        var command = new Command("create", "Make a volume.") { name, image, size };
        command.Validators.Add(parsed =>
        {
            if (parsed.GetResult(image) is null == parsed.GetResult(size) is null) parsed.AddError("Give either --image or --size.");
        });
        return command.Runs(async (store, parsed, cancellation) => parsed.GetValue(image) is { } reference
            ? await store.CloneAsync(parsed.GetRequiredValue(name), store.Images.Find(reference), cancellation)
            : await store.CreateAsync(parsed.GetRequiredValue(name), parsed.GetValue(size)!.Value << 30, cancellation), Line);
    }

    private static Command Remove()
    {
        var name = StoreCommand.Name("VOLUME", "The volume's name");
        return new Command("rm", "Delete a volume that nobody has open.") { name }.Runs((store, parsed, _) =>
        {
            var volume = store.Find(parsed.GetRequiredValue(name));
            VolumeStore.Remove(volume);
            return Task.FromResult(volume);
        }, v => $"{v.Name} is gone");
    }

    private static Command Files()
    {
        var name = StoreCommand.Name("VOLUME", "The volume's name");
        var path = new Argument<string>("PATH") { Description = "PARTITION:/path, or /path in the first partition that has it", DefaultValueFactory = _ => "/" };
        return new Command("ls", "List a directory inside a volume.") { name, path }.Runs(async (store, parsed, cancellation) =>
        {
            await using var disk = await store.OpenAsync(store.Find(parsed.GetRequiredValue(name)), writable: false, cancellation);
            var (fileSystem, entry) = await FindAsync(disk, parsed.GetRequiredValue(path), cancellation);
            return entry.Kind == FileKind.Directory ? await fileSystem.ListAsync(entry, cancellation) : [entry];
        }, entries => string.Join('\n', entries.Select(e => $"{(e.Kind == FileKind.Directory ? "d" : e.Kind == FileKind.SymbolicLink ? "l" : "-")} {e.Length,12} {e.Name}")));
    }

    private static Command Print()
    {
        var name = StoreCommand.Name("VOLUME", "The volume's name");
        var path = new Argument<string>("PATH") { Description = "PARTITION:/path, or /path in the first partition that has it" };
        return new Command("cat", "Print a file inside a volume.") { name, path }.Runs(async (store, parsed, cancellation) =>
        {
            await using var disk = await store.OpenAsync(store.Find(parsed.GetRequiredValue(name)), writable: false, cancellation);
            var (fileSystem, entry) = await FindAsync(disk, parsed.GetRequiredValue(path), cancellation);
            if (entry.Kind == FileKind.Directory) throw new VolumeStoreException($"{entry.Name} is a directory");
            await using var output = Console.OpenStandardOutput();
            var buffer = new byte[1 << 20];
            int count;
            for (long at = 0; (count = await fileSystem.ReadAsync(entry, at, buffer, cancellation)) > 0; at += count)
                await output.WriteAsync(buffer.AsMemory(0, count), cancellation);
            return entry.Length;
        }, _ => "");
    }

    private static async Task<(IFileSystem FileSystem, FileEntry Entry)> FindAsync(IBlockDevice disk, string path, CancellationToken cancellation)
    {
        var colon = path.IndexOf(":/", StringComparison.Ordinal);
        var wanted = colon > 0 ? path[..colon] : null;
        var inside = colon > 0 ? path[(colon + 1)..] : path;
        var table = await PartitionTable.ReadAsync(disk, cancellation);
        var regions = table.Kind == PartitionTableKind.None
            ? [("0", DiskRegion.Whole(disk))]
            : table.Partitions.Select(p => ($"{p.Number}", new DiskRegion(disk, p.Offset, p.Length))).ToList();
        foreach (var (number, region) in regions.Where(r => wanted is null || r.Item1 == wanted))
        {
            if (await FileSystem.DetectAsync(region, cancellation) is { } fileSystem && await fileSystem.FindAsync(inside, cancellation) is { } entry)
                return (fileSystem, entry);
        }
        throw new VolumeStoreException($"{path} is in no partition with a file system that is known (FAT, ext2, ext3, ext4)");
    }

    private static string Line(StoredVolume volume) =>
        $"{volume.Name}  {StoreCommand.Bytes(volume.Size)}  {volume.Image ?? "blank"}  own {StoreCommand.Bytes(volume.OwnBytes)}";
}
