namespace Slipway.Disks.FileSystems;

/// <summary>Goes along a path, name by name, through symbolic links; the same for every file system that has them.</summary>
internal static class PathWalk
{
    private const int MostLinks = 40;

    /// <summary>The entry at a path from the root; null where none is.</summary>
    /// <param name="target">Reads what a symbolic link says.</param>
    public static async ValueTask<FileEntry?> FindAsync(
        IFileSystem fileSystem, string path, Func<FileEntry, CancellationToken, ValueTask<string>> target, CancellationToken cancellation)
    {
        var links = MostLinks;
        return await WalkAsync([fileSystem.Root], path);

        async ValueTask<FileEntry?> WalkAsync(List<FileEntry> from, string way)
        {
            // The stack of directories down to here: what ".." goes back through.
            var stack = way.StartsWith('/') ? [from[0]] : from.ToList();
            foreach (var name in way.Split('/').Where(n => n.Length > 0 && n != "."))
            {
                if (name == "..")
                {
                    if (stack.Count > 1) stack.RemoveAt(stack.Count - 1);
                    continue;
                }
                var entry = (await fileSystem.ListAsync(stack[^1], cancellation)).FirstOrDefault(e => e.Name == name);
                if (entry is { Kind: FileKind.SymbolicLink })
                {
                    if (links-- == 0) throw new DiskFormatException($"{path}: more than {MostLinks} symbolic links");
                    entry = await WalkAsync(stack, await target(entry, cancellation));
                }
                if (entry is null) return null;
                stack.Add(entry);
            }
            return stack[^1];
        }
    }
}
