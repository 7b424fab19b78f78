namespace Slipway.Disks.FileSystems;

/// <summary>
/// A file system on a part of a disk, to read. Damage is a <see cref="DiskFormatException"/>; what the medium refuses is
/// a <see cref="BlockDeviceException"/>; nothing else is thrown for a disk's content, and no loop in it is followed forever.
/// </summary>
public interface IFileSystem
{
    /// <summary>As <c>mount -t</c> knows it: <c>vfat</c>, <c>ext4</c>, <c>xfs</c>, <c>iso9660</c>.</summary>
    string Kind { get; }

    string Label { get; }

    DiskRegion Region { get; }

    FileEntry Root { get; }

    /// <summary>What a directory holds, without <c>.</c> and <c>..</c>, in the order on disk.</summary>
    ValueTask<IReadOnlyList<FileEntry>> ListAsync(FileEntry directory, CancellationToken cancellation = default);

    /// <summary>The entry at a path from the root (<c>/EFI/BOOT/grub.cfg</c>), symbolic links followed; null where none is.</summary>
    ValueTask<FileEntry?> FindAsync(string path, CancellationToken cancellation = default);

    /// <summary>Where a file's bytes are, ordered by place in the file. A gap between two extents is a hole.</summary>
    ValueTask<IReadOnlyList<FileExtent>> GetExtentsAsync(FileEntry file, CancellationToken cancellation = default);

    /// <summary>
    /// Whether a journal, which is not replayed, may hold what is not seen here: a machine has the file system mounted, or
    /// did not unmount it.
    /// </summary>
    ValueTask<bool> HasMoreInJournalAsync(CancellationToken cancellation = default) => ValueTask.FromResult(false);
}

public enum FileKind
{
    File,
    Directory,
    SymbolicLink,
    Other,
}

/// <summary>A name in a directory. <paramref name="Node"/> is the file system's own number for what it names.</summary>
public sealed record FileEntry(string Name, FileKind Kind, long Length, ulong Node);

/// <summary>
/// A run of a file's bytes: <paramref name="DiskOffset"/> is absolute on the disk, not in the partition. Where
/// <paramref name="Unwritten"/> the space is the file's, but reads as zeroes (ext4, XFS).
/// </summary>
public readonly record struct FileExtent(long FileOffset, long DiskOffset, long Length, bool Unwritten = false);
