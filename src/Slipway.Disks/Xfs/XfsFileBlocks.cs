using System.Buffers.Binary;
using Slipway.Disks.FileSystems;

namespace Slipway.Disks.Xfs;

/// <summary>
/// Finds a file's blocks: within its inode, through the extents listed there, or through a tree of them (XFS Algorithms
/// &amp; Data Structures, "Data Extents"). One instance serves one file; it counts the blocks of the tree that it reads,
/// and levels only go down, so that a tree that leads in circles ends.
/// </summary>
/// <param name="limit">Blocks from this place in the file on, in bytes, are of no interest: space kept for growth.</param>
internal sealed class XfsFileBlocks(XfsBlocks blocks, XfsInode inode, long limit)
{
    private const int MostNodes = 65_536;
    private const int MostExtents = 1_000_000;
    private const int MostLevels = 9;
    private const int ExtentLength = 16, PointerLength = 8, RootHeaderLength = 4;
    private const int HeaderLength = 24, HeaderLengthVersion5 = 72, Checksum = 64, Owner = 56;
    private readonly XfsSuperblock _superblock = blocks.Superblock;
    private readonly List<FileExtent> _extents = [];
    private int _nodes;

    public async ValueTask<List<FileExtent>> FindAsync(CancellationToken cancellation)
    {
        if (inode.IsRealtime) throw new DiskFormatException($"xfs: inode {inode.Number} has its data on a realtime device, which is not read");
        switch (inode.Format)
        {
            case XfsForkFormat.Local:
                if (inode.Length > inode.Fork.Length)
                    throw new DiskFormatException($"xfs: inode {inode.Number} holds {inode.Length} bytes within itself, but has no room for them");
                if (inode.Length > 0) _extents.Add(new(0, inode.DiskOffset + inode.ForkOffset, inode.Length));
                break;
            case XfsForkFormat.Extents:
                if (inode.Extents > (ulong)(inode.Fork.Length / ExtentLength))
                    throw new DiskFormatException($"xfs: inode {inode.Number} lists {inode.Extents} extents, but has no room for them");
                Extents(inode.Fork.Span[..((int)inode.Extents * ExtentLength)]);
                break;
            case XfsForkFormat.Tree:
                await RootAsync(inode.Fork, cancellation);
                break;
            default:
                throw new DiskFormatException($"xfs: inode {inode.Number} has data of the format {(int)inode.Format}, which is not known");
        }
        return _extents;
    }

    /// <summary>The tree's root, in the inode: level, number of entries; keys, then pointers (struct xfs_bmdr_block).</summary>
    private async ValueTask RootAsync(ReadOnlyMemory<byte> fork, CancellationToken cancellation)
    {
        int level = U16(fork, 0), entries = U16(fork, 2);
        if (level is 0 or > MostLevels) throw Damaged();
        await PointersAsync(fork[RootHeaderLength..], entries, level, cancellation);
    }

    /// <summary>A block of the tree (struct xfs_btree_block with long pointers): a leaf's extents, or keys and pointers.</summary>
    private async ValueTask NodeAsync(ulong number, int level, CancellationToken cancellation)
    {
        if (++_nodes > MostNodes) throw new DiskFormatException($"xfs: the blocks of inode {inode.Number} lead in circles");
        ReadOnlyMemory<byte> node = await blocks.ReadAsync(number, cancellation);
        if (!node.Span.StartsWith(_superblock.HasChecksums ? "BMA3"u8 : "BMAP"u8) || U16(node, 4) != level) throw Damaged();
        blocks.Verify(node.Span, "block of the extent tree", inode.Number, Checksum, Owner);
        int entries = U16(node, 6);
        var room = node[(_superblock.HasChecksums ? HeaderLengthVersion5 : HeaderLength)..];
        if (level > 0)
        {
            await PointersAsync(room, entries, level, cancellation);
            return;
        }
        if (entries > room.Length / ExtentLength) throw Damaged();
        Extents(room.Span[..(entries * ExtentLength)]);
    }

    // There is room for as many keys as pointers; the pointers begin after the last that there could be.
    private async ValueTask PointersAsync(ReadOnlyMemory<byte> room, int entries, int level, CancellationToken cancellation)
    {
        var most = room.Length / (2 * PointerLength);
        if (entries == 0 || entries > most) throw Damaged();
        for (var i = 0; i < entries; i++)
            await NodeAsync(BinaryPrimitives.ReadUInt64BigEndian(room.Span[((most + i) * PointerLength)..]), level - 1, cancellation);
    }

    /// <summary>
    /// Of 128 bits the first says that the extent was not written to; 54 are its first block in the file, 52 that on
    /// the disk, 21 the number of blocks (struct xfs_bmbt_rec).
    /// </summary>
    private void Extents(ReadOnlySpan<byte> records)
    {
        for (; records.Length > 0; records = records[ExtentLength..])
        {
            var (high, low) = (BinaryPrimitives.ReadUInt64BigEndian(records), BinaryPrimitives.ReadUInt64BigEndian(records[8..]));
            Add((long)(high << 1 >> 10), (high & 0x1FF) << 43 | low >> 21, (long)(low & 0x1FFFFF), unwritten: high >> 63 != 0);
        }
    }

    private void Add(long fileBlock, ulong block, long count, bool unwritten)
    {
        if (count == 0) throw Damaged();
        var place = blocks.DiskOffset(block, count);
        if (fileBlock > (limit - 1) / _superblock.BlockSize || limit == 0) return;
        if (_extents.Count >= MostExtents) throw new DiskFormatException($"xfs: inode {inode.Number} is in too many pieces");
        var offset = fileBlock * _superblock.BlockSize;
        if (_extents.Count > 0 && offset < _extents[^1].FileOffset + _extents[^1].Length)
            throw new DiskFormatException($"xfs: inode {inode.Number} has two places for one byte");
        _extents.Add(new(offset, place, Math.Min(count * _superblock.BlockSize, limit - offset), unwritten));
    }

    private DiskFormatException Damaged() => new($"xfs: inode {inode.Number} has a damaged extent tree");

    private static ushort U16(ReadOnlyMemory<byte> bytes, int at) => BinaryPrimitives.ReadUInt16BigEndian(bytes.Span[at..]);
}
