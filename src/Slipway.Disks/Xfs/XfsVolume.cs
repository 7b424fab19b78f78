using System.Text;
using Slipway.Disks.FileSystems;

namespace Slipway.Disks.Xfs;

/// <summary>
/// An XFS volume of version 4 or 5, to read. The log is not replayed: what is read is what the blocks hold, which after
/// a crash, or while a machine uses the volume, may be a while old. Files on a realtime device are refused.
/// </summary>
/// <remarks>
/// One that cannot be read, for features that are not understood or a damaged superblock, opens all the same, and each use
/// of it says why: the disk's other partitions are read without it.
/// </remarks>
public sealed class XfsVolume : IFileSystem
{
    private const int MostDirectoryBytes = 64 * 1024 * 1024;
    private const int MostLinkBytes = 1024, MostLinkBlocks = 4;
    private const int MostUnreadable = 1000;
    private readonly XfsBlocks? _blocks;
    private readonly DiskFormatException? _refusal;

    private XfsVolume(DiskRegion region, string label, XfsSuperblock superblock)
    {
        (Region, Label, _blocks) = (region, label, new(region, superblock));
        Root = new("", FileKind.Directory, 0, superblock.RootInode);
    }

    private XfsVolume(DiskRegion region, string label, DiskFormatException refusal)
    {
        (Region, Label, _refusal) = (region, label, refusal);
        Root = new("", FileKind.Directory, 0, 0);
    }

    public string Kind => "xfs";

    public string Label { get; }

    public DiskRegion Region { get; }

    public FileEntry Root { get; }

    private XfsBlocks Blocks => _blocks ?? throw new DiskFormatException(_refusal!.Message);

    /// <summary>Opens the volume in a region; null where there is none.</summary>
    public static async ValueTask<XfsVolume?> TryOpenAsync(DiskRegion region, CancellationToken cancellation = default)
    {
        if (!region.Holds(0, XfsSuperblock.Length)) return null;
        var bytes = await region.ReadAsync(0, XfsSuperblock.Length, cancellation);
        if (!XfsSuperblock.IsThere(bytes)) return null;
        var label = XfsSuperblock.LabelOf(bytes);
        try
        {
            var sector = await region.ReadAsync(0, XfsSuperblock.SectorSizeOf(bytes), cancellation);
            return new(region, label, XfsSuperblock.Parse(sector, region.Length));
        }
        catch (DiskFormatException refusal)
        {
            return new(region, label, refusal);
        }
    }

    /// <remarks>
    /// A name whose inode cannot be read is listed without a length, so that its siblings are found: after a crash it may
    /// be only in the log. <see cref="FindAsync"/> of it says what is wrong.
    /// </remarks>
    public async ValueTask<IReadOnlyList<FileEntry>> ListAsync(FileEntry directory, CancellationToken cancellation = default)
    {
        if (directory.Kind != FileKind.Directory) return [];
        var inode = await Blocks.InodeAsync(directory.Node, cancellation);
        var entries = new List<FileEntry>();
        var unreadable = 0;
        foreach (var name in await NamesAsync(inode, cancellation))
        {
            try
            {
                entries.Add(Entry(name.Name, await Blocks.InodeAsync(name.Inode, cancellation)));
            }
            catch (DiskFormatException) when (++unreadable <= MostUnreadable)
            {
                entries.Add(new(name.Name, name.Kind, 0, name.Inode));
            }
        }
        return entries;
    }

    public async ValueTask<FileEntry?> FindAsync(string path, CancellationToken cancellation = default) =>
        await PathWalk.FindAsync(this, path, TargetAsync, cancellation) is { } entry
            ? Entry(entry.Name, await Blocks.InodeAsync(entry.Node, cancellation)) : null;

    public async ValueTask<IReadOnlyList<FileExtent>> GetExtentsAsync(FileEntry file, CancellationToken cancellation = default)
    {
        if (file.Kind == FileKind.Other) return [];
        var inode = await Blocks.InodeAsync(file.Node, cancellation);
        var runs = await RunsAsync(inode, cancellation);
        return IsRemoteLink(inode) ? XfsRemoteLink.Content(runs, inode.Length) : runs;
    }

    public ValueTask<bool> HasMoreInJournalAsync(CancellationToken cancellation = default) => XfsLog.IsDirtyAsync(Blocks, Region, cancellation);

    private static FileEntry Entry(string name, XfsInode inode) =>
        new(name, inode.Kind, inode.Kind == FileKind.Directory ? 0 : inode.Length, inode.Number);

    private bool IsRemoteLink(XfsInode inode) => Blocks.Superblock.HasChecksums && inode is { Kind: FileKind.SymbolicLink, Format: not XfsForkFormat.Local };

    // A directory's blocks of hashes lie past its length; a link's blocks have headers, and are checked as wholes.
    private ValueTask<List<FileExtent>> RunsAsync(XfsInode inode, CancellationToken cancellation) =>
        new XfsFileBlocks(Blocks, inode, inode.Kind == FileKind.Directory ? 3 * XfsDirectory.MostBytes
            : IsRemoteLink(inode) ? MostLinkBlocks * Blocks.Superblock.BlockSize : inode.Length).FindAsync(cancellation);

    private async ValueTask<List<XfsName>> NamesAsync(XfsInode inode, CancellationToken cancellation)
    {
        if (inode.Kind != FileKind.Directory) throw new DiskFormatException($"xfs: inode {inode.Number} is no directory");
        if (inode.Format == XfsForkFormat.Local) return XfsDirectory.InInode(inode, Blocks.Superblock);
        var names = new List<XfsName>();
        foreach (var block in await DirectoryBlocksAsync(inode, cancellation)) XfsDirectory.InBlock(block, inode, Blocks, names);
        return names;
    }

    // A directory block may be in several places, and where all of its names are gone there is a hole.
    private async ValueTask<IEnumerable<byte[]>> DirectoryBlocksAsync(XfsInode inode, CancellationToken cancellation)
    {
        var size = Blocks.Superblock.DirectoryBlockSize;
        var blocks = new SortedDictionary<long, byte[]>();
        foreach (var run in (await RunsAsync(inode, cancellation)).Where(r => r.FileOffset < XfsDirectory.MostBytes))
        {
            for (var at = 0L; at < run.Length;)
            {
                var (index, within) = Math.DivRem(run.FileOffset + at, size);
                var part = (int)Math.Min(size - within, run.Length - at);
                if (!blocks.TryGetValue(index, out var block))
                {
                    if (blocks.Count >= MostDirectoryBytes / size) throw new DiskFormatException($"xfs: directory {inode.Number} is longer than the {MostDirectoryBytes} bytes that are read");
                    blocks.Add(index, block = new byte[size]);
                }
                await Region.ReadAsync(run.DiskOffset + at - Region.Start, block.AsMemory((int)within, part), cancellation);
                at += part;
            }
        }
        return blocks.Values;
    }

    private async ValueTask<string> TargetAsync(FileEntry link, CancellationToken cancellation)
    {
        var inode = await Blocks.InodeAsync(link.Node, cancellation);
        if (inode.Length > MostLinkBytes) throw new DiskFormatException($"xfs: the symbolic link of inode {inode.Number} is {inode.Length} bytes long, at most {MostLinkBytes} are read");
        var runs = await RunsAsync(inode, cancellation);
        var content = IsRemoteLink(inode) ? XfsRemoteLink.Content(runs, inode.Length) : runs;
        var target = new byte[inode.Length];
        foreach (var (part, run) in content.Zip(runs))
        {
            var bytes = await Region.ReadAsync(run.DiskOffset - Region.Start, (int)run.Length, cancellation);
            if (IsRemoteLink(inode)) XfsRemoteLink.Verify(bytes, inode, part.FileOffset, Blocks);
            bytes.AsSpan((int)(part.DiskOffset - run.DiskOffset), (int)part.Length).CopyTo(target.AsSpan((int)part.FileOffset));
        }
        return Encoding.UTF8.GetString(target);
    }
}
