using System.CommandLine;
using Slipway.Disks;
using Slipway.Disks.FileSystems;
using Slipway.Disks.Partitions;
using Slipway.Volumes.Store;

namespace Slipway.Commands.Volumes;

/// <summary>Looking into a volume's file systems, whoever uses it meanwhile.</summary>
internal static class InsideCommands
{
    public static IEnumerable<Command> All() => [Files(), Print()];

    private static Command Files()
    {
        var name = StoreCommand.Name("VOLUME", "The volume's name, or VOLUME@SNAPSHOT");
        var path = new Argument<string>("PATH") { Description = "PARTITION:/path, or /path in the first partition that has it; 0 is the disk as a whole", DefaultValueFactory = _ => "/" };
        return new Command("ls", "List a directory inside a volume.") { name, path }.Runs(async (store, parsed, cancellation) =>
        {
            await using var disk = await store.OpenToReadAsync(parsed.GetRequiredValue(name), cancellation);
            var (fileSystem, entry) = await FindAsync(disk, parsed.GetRequiredValue(path), cancellation);
            return entry.Kind == FileKind.Directory ? await fileSystem.ListAsync(entry, cancellation) : [entry];
        }, entries => string.Join('\n', entries.Select(e => $"{(e.Kind == FileKind.Directory ? "d" : e.Kind == FileKind.SymbolicLink ? "l" : "-")} {e.Length,12} {e.Name}")));
    }

    private static Command Print()
    {
        var name = StoreCommand.Name("VOLUME", "The volume's name, or VOLUME@SNAPSHOT");
        var path = new Argument<string>("PATH") { Description = "PARTITION:/path, or /path in the first partition that has it" };
        return new Command("cat", "Print a file inside a volume.") { name, path }.Runs(async (store, parsed, cancellation) =>
        {
            await using var disk = await store.OpenToReadAsync(parsed.GetRequiredValue(name), cancellation);
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
        // Last the disk as a whole: one without partitions, or a hybrid ISO image.
        List<(string Number, DiskRegion Region)> regions = [.. table.Partitions.Select(p => ($"{p.Number}", new DiskRegion(disk, p.Offset, p.Length))), ("0", DiskRegion.Whole(disk))];
        if (wanted is not null && regions.RemoveAll(r => r.Number != wanted) >= table.Partitions.Count + 1)
            throw new VolumeStoreException($"there is no partition {wanted}: {(table.Partitions.Count == 0 ? "the disk has none" : $"there are {string.Join(", ", table.Partitions.Select(p => p.Number))}")}, and 0 is the disk as a whole");
        var journals = "";
        var searched = new List<string>();
        foreach (var (number, region) in regions)
        {
            if (await FileSystem.DetectAsync(region, cancellation) is not { } fileSystem) continue;
            searched.Add(number == "0" ? $"the disk as a whole ({fileSystem.Kind})" : $"partition {number} ({fileSystem.Kind})");
            var entry = await fileSystem.FindAsync(inside, cancellation);
            if (await fileSystem.HasMoreInJournalAsync(cancellation))
                journals += $"\nPartition {number} ({fileSystem.Kind}) is mounted, or was not unmounted: what only its journal holds is not shown.";
            if (entry is null) continue;
            if (journals.Length > 0) await Console.Error.WriteLineAsync(journals.TrimStart());
            return (fileSystem, entry);
        }
        throw new VolumeStoreException((searched.Count, wanted) switch
        {
            (0, null) => $"{inside} cannot be looked for: there is no file system that is known ({FileSystem.Kinds})",
            (0, _) => $"partition {wanted} has no file system that is known ({FileSystem.Kinds})",
            _ => $"there is no {inside} in {string.Join(", ", searched)}",
        } + journals);
    }
}
