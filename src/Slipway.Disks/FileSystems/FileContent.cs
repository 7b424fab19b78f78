namespace Slipway.Disks.FileSystems;

/// <summary>A file's bytes, found through its extents; the same for every file system.</summary>
public static class FileContent
{
    /// <summary>Reads up to <paramref name="destination"/>'s length from a place in a file; fewer bytes only at its end.</summary>
    public static async ValueTask<int> ReadAsync(
        this IFileSystem fileSystem, FileEntry file, long offset, Memory<byte> destination, CancellationToken cancellation = default)
    {
        if (offset >= file.Length) return 0;
        destination = destination[..(int)Math.Min(destination.Length, file.Length - offset)];
        destination.Span.Clear();
        foreach (var extent in await fileSystem.GetExtentsAsync(file, cancellation))
        {
            var from = Math.Max(extent.FileOffset, offset);
            var to = Math.Min(extent.FileOffset + extent.Length, offset + destination.Length);
            if (from >= to || extent.Unwritten) continue;
            var place = extent.DiskOffset + from - extent.FileOffset;
            await fileSystem.Region.ReadAsync(place - fileSystem.Region.Start, destination.Slice((int)(from - offset), (int)(to - from)), cancellation);
        }
        return destination.Length;
    }

    /// <summary>A whole file; one longer than <paramref name="most"/> bytes is refused.</summary>
    public static async ValueTask<byte[]> ReadAllAsync(
        this IFileSystem fileSystem, FileEntry file, int most = 256 * 1024 * 1024, CancellationToken cancellation = default)
    {
        if (file.Length > most) throw new DiskFormatException($"{file.Name} is {file.Length} bytes long; at most {most} are read at once");
        var content = new byte[file.Length];
        await fileSystem.ReadAsync(file, 0, content, cancellation);
        return content;
    }

    /// <summary>
    /// Writes over bytes that a file already has, where they are on the disk. Nothing about the file changes but these
    /// bytes: not its size, not its place. A range with a hole or past the file's end is refused before anything is written.
    /// </summary>
    public static async ValueTask OverwriteAsync(
        this IFileSystem fileSystem, FileEntry file, long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation = default)
    {
        if (offset < 0 || offset > file.Length - source.Length)
            throw new ArgumentOutOfRangeException(nameof(offset), offset, $"{source.Length} bytes from there do not lie within {file.Name}'s {file.Length}");
        var end = offset + source.Length;
        var runs = (await fileSystem.GetExtentsAsync(file, cancellation))
            .Where(e => !e.Unwritten && e.FileOffset < end && e.FileOffset + e.Length > offset).ToList();
        var covered = offset;
        foreach (var run in runs)
        {
            if (run.FileOffset <= covered) covered = Math.Max(covered, run.FileOffset + run.Length);
        }
        if (covered < end) throw new DiskFormatException($"{file.Name} has a hole at {covered}: it cannot be written in place");
        foreach (var run in runs)
        {
            var from = Math.Max(run.FileOffset, offset);
            var to = Math.Min(run.FileOffset + run.Length, end);
            await fileSystem.Region.Disk.WriteAsync(run.DiskOffset + from - run.FileOffset, source[(int)(from - offset)..(int)(to - offset)], cancellation);
        }
    }
}
