using System.Buffers.Binary;

namespace Slipway.Disks.Xfs;

/// <summary>
/// A volume's blocks by their numbers; the ones read last are kept, since inodes share them. A number holds the
/// allocation group in its high bits and the place in the group in its low ones; an inode's number is that of its block,
/// followed by its place in the block (XFS Algorithms &amp; Data Structures, "Allocation Groups" and "Inode Numbers").
/// </summary>
internal sealed class XfsBlocks(DiskRegion region, XfsSuperblock superblock)
{
    private const int MostBytesKept = 8 * 1024 * 1024;
    private readonly Dictionary<ulong, byte[]> _kept = [];

    public XfsSuperblock Superblock => superblock;

    /// <summary>Where a run of blocks begins, in bytes on the disk. A run does not go on into the next group.</summary>
    /// <exception cref="DiskFormatException">Not all of it is in the file system.</exception>
    public long DiskOffset(ulong block, long count)
    {
        var group = block >> superblock.GroupBlocksLog;
        var within = (long)(block & ((1ul << superblock.GroupBlocksLog) - 1));
        var first = (long)Math.Min(group, superblock.Groups) * superblock.GroupBlocks + within;
        if (group >= superblock.Groups || within + count > superblock.GroupBlocks || first + count > superblock.Blocks)
            throw new DiskFormatException($"xfs: {count} blocks at {within} of allocation group {group} are not in the file system");
        return region.Start + first * superblock.BlockSize;
    }

    public async ValueTask<byte[]> ReadAsync(ulong block, CancellationToken cancellation)
    {
        if (_kept.TryGetValue(block, out var bytes)) return bytes;
        bytes = await region.ReadAsync(DiskOffset(block, 1) - region.Start, superblock.BlockSize, cancellation);
        if (_kept.Count * (long)superblock.BlockSize >= MostBytesKept) _kept.Clear();
        return _kept[block] = bytes;
    }

    public async ValueTask<XfsInode> InodeAsync(ulong number, CancellationToken cancellation)
    {
        var block = number >> superblock.InodesPerBlockLog;
        var at = (int)(number & ((1ul << superblock.InodesPerBlockLog) - 1)) * superblock.InodeSize;
        var bytes = (await ReadAsync(block, cancellation)).AsMemory(at, superblock.InodeSize);
        var inode = new XfsInode(number, DiskOffset(block, 1) + at, bytes);
        if (!inode.HasMagic) throw new DiskFormatException($"xfs: there is no inode {number} where it would be");
        if (superblock.HasChecksums) inode.Verify();
        return inode;
    }

    /// <summary>Checks what a metadata block of version 5 says of itself.</summary>
    /// <param name="checksum">Where in the block its checksum is.</param>
    /// <param name="owner">Where in the block the number of the inode that it belongs to is.</param>
    public void Verify(ReadOnlySpan<byte> block, string what, ulong inode, int checksum, int owner)
    {
        if (!superblock.HasChecksums) return;
        if (!StructureChecksum.IsRight(block, checksum)) throw new DiskFormatException($"xfs: a {what} of inode {inode} has a wrong checksum");
        var says = BinaryPrimitives.ReadUInt64BigEndian(block[owner..]);
        if (says != inode) throw new DiskFormatException($"xfs: a {what} of inode {inode} says that it is inode {says}'s");
    }
}
