using System.Buffers.Binary;
using System.Text;
using Slipway.Disks.FileSystems;

namespace Slipway.Disks.Ext;

/// <summary>
/// An ext2, ext3 or ext4 volume, to read. A journal that was not replayed is left alone: what is read is what the blocks
/// hold, which after a crash may be a moment old. Hashed directories are read as the lists that they also are.
/// </summary>
public sealed class ExtVolume : IFileSystem
{
    private const uint RootInode = 2;
    private const int MostDirectoryBytes = 64 * 1024 * 1024;
    private readonly ExtSuperblock _superblock;
    private readonly ExtBlocks _blocks;

    private ExtVolume(DiskRegion region, ExtSuperblock superblock) =>
        (Region, _superblock, _blocks) = (region, superblock, new(region, superblock));

    public string Kind => _superblock.Kind;

    public string Label => _superblock.Label;

    public DiskRegion Region { get; }

    public FileEntry Root { get; } = new("", FileKind.Directory, 0, RootInode);

    /// <summary>Opens the volume in a region; null where there is none, or one with features that are not understood.</summary>
    public static async ValueTask<ExtVolume?> TryOpenAsync(DiskRegion region, CancellationToken cancellation = default)
    {
        if (!region.Holds(ExtSuperblock.Offset, ExtSuperblock.Length)) return null;
        var bytes = await region.ReadAsync(ExtSuperblock.Offset, ExtSuperblock.Length, cancellation);
        return ExtSuperblock.Parse(bytes, region.Length) is { } superblock ? new(region, superblock) : null;
    }

    public async ValueTask<IReadOnlyList<FileEntry>> ListAsync(FileEntry directory, CancellationToken cancellation = default)
    {
        if (directory.Kind != FileKind.Directory) return [];
        var inode = await _blocks.InodeAsync((uint)directory.Node, cancellation);
        var entries = new List<FileEntry>();
        foreach (var (name, number) in Names(inode, await ContentAsync(inode, MostDirectoryBytes, cancellation)))
        {
            var named = await _blocks.InodeAsync(number, cancellation);
            entries.Add(new(name, named.Kind, named.Kind == FileKind.Directory ? 0 : named.Length, number));
        }
        return entries;
    }

    public ValueTask<FileEntry?> FindAsync(string path, CancellationToken cancellation = default) =>
        PathWalk.FindAsync(this, path, TargetAsync, cancellation);

    public async ValueTask<IReadOnlyList<FileExtent>> GetExtentsAsync(FileEntry file, CancellationToken cancellation = default)
    {
        if (file.Kind == FileKind.Other) return [];
        return await new ExtFileBlocks(_blocks, _superblock, await _blocks.InodeAsync((uint)file.Node, cancellation)).FindAsync(cancellation);
    }

    public ValueTask<bool> HasMoreInJournalAsync(CancellationToken cancellation = default) =>
        ValueTask.FromResult((_superblock.Incompatible & ExtIncompatible.Recover) != 0);

    private async ValueTask<string> TargetAsync(FileEntry link, CancellationToken cancellation) =>
        Encoding.UTF8.GetString(await ContentAsync(await _blocks.InodeAsync((uint)link.Node, cancellation), 4096, cancellation));

    private async ValueTask<byte[]> ContentAsync(ExtInode inode, int most, CancellationToken cancellation)
    {
        var extents = await new ExtFileBlocks(_blocks, _superblock, inode).FindAsync(cancellation);
        if (inode.Length > most) throw new DiskFormatException($"ext: inode {inode.Number} is {inode.Length} bytes long, at most {most} are read");
        var bytes = new byte[inode.Length];
        foreach (var extent in extents.Where(e => !e.Unwritten))
            await Region.ReadAsync(extent.DiskOffset - Region.Start, bytes.AsMemory((int)extent.FileOffset, (int)extent.Length), cancellation);
        return bytes;
    }

    private List<(string Name, uint Inode)> Names(ExtInode inode, ReadOnlySpan<byte> content)
    {
        var names = new List<(string, uint)>();
        // A directory within its inode: the parent's number, then entries in the block field, then more in the attribute.
        if (inode.IsInline)
        {
            Names(content[Math.Min(4, content.Length)..Math.Min(60, content.Length)], names);
            if (content.Length > 60) Names(content[60..], names);
            return names;
        }
        for (; content.Length > 0; content = content[Math.Min(_superblock.BlockSize, content.Length)..])
            Names(content[..Math.Min(_superblock.BlockSize, content.Length)], names);
        return names;
    }

    private static void Names(ReadOnlySpan<byte> block, List<(string Name, uint Inode)> names)
    {
        while (block.Length >= 8)
        {
            var number = BinaryPrimitives.ReadUInt32LittleEndian(block);
            int length = BinaryPrimitives.ReadUInt16LittleEndian(block[4..]), nameLength = block[6];
            // In blocks of 64 KiB a record over all of it does not fit its field: 0 and 65535 stand for that.
            if (length is 0 or 65535) length = block.Length;
            if (length < 8 || length > block.Length || 8 + nameLength > length) throw new DiskFormatException("ext: a directory has a damaged record");
            var name = Encoding.UTF8.GetString(block.Slice(8, nameLength));
            if (number != 0 && nameLength > 0 && name is not ("." or "..")) names.Add((name, number));
            block = block[length..];
        }
    }
}
