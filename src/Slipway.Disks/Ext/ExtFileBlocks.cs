using System.Buffers.Binary;
using Slipway.Disks.FileSystems;

namespace Slipway.Disks.Ext;

/// <summary>
/// Finds a file's blocks: through its extent tree (ext4), or through direct and indirect block numbers (ext2, ext3).
/// One instance serves one file; it counts the blocks it reads, so that a tree that leads in circles ends.
/// </summary>
internal sealed class ExtFileBlocks(ExtBlocks blocks, ExtSuperblock superblock, ExtInode inode)
{
    private const int MostNodes = 65_536;
    private const int MostExtents = 1_000_000;
    private readonly List<FileExtent> _extents = [];
    private readonly long _fileBlocks = (inode.Length + superblock.BlockSize - 1) / superblock.BlockSize;
    private int _nodes;

    public async ValueTask<List<FileExtent>> FindAsync(CancellationToken cancellation)
    {
        if (inode.Length == 0) return _extents;
        if (inode.IsInline || inode.IsFastLink) return inode.InlineExtents();
        if (inode.HasExtents) await ExtentsAsync(inode.Block, depthBelow: 6, cancellation);
        else await IndirectAsync(cancellation);
        return _extents;
    }

    private async ValueTask ExtentsAsync(ReadOnlyMemory<byte> node, int depthBelow, CancellationToken cancellation)
    {
        int entries = U16(node, 2), depth = U16(node, 6);
        if (U16(node, 0) != 0xF30A || depth >= depthBelow || 12 + entries * 12 > node.Length)
            throw new DiskFormatException($"ext4: inode {inode.Number} has a damaged extent tree");
        for (var i = 0; i < entries; i++)
        {
            var entry = node.Slice(12 + i * 12, 12);
            if (depth > 0)
            {
                await ExtentsAsync(await NodeAsync(U32(entry, 4) | (long)U16(entry, 8) << 32, cancellation), depth, cancellation);
                continue;
            }
            // A length above 32768 marks an extent that was allocated but not written.
            int length = U16(entry, 4);
            var unwritten = length > 32768;
            Add(U32(entry, 0), U32(entry, 8) | (long)U16(entry, 6) << 32, unwritten ? length - 32768 : length, unwritten);
        }
    }

    private async ValueTask IndirectAsync(CancellationToken cancellation)
    {
        for (var i = 0; i < 12; i++) Add(i, U32(inode.Block, i * 4), 1, false);
        long at = 12;
        for (var level = 1; level <= 3; level++) at = await IndirectAsync(U32(inode.Block, (11 + level) * 4), level, at, cancellation);
    }

    private async ValueTask<long> IndirectAsync(long block, int level, long at, CancellationToken cancellation)
    {
        var perBlock = superblock.BlockSize / 4;
        var covers = 1L;
        for (var i = 0; i < level; i++) covers *= perBlock;
        if (block == 0 || at >= _fileBlocks) return at + covers;
        ReadOnlyMemory<byte> node = await NodeAsync(block, cancellation);
        var below = at;
        for (var i = 0; i < perBlock && below < _fileBlocks; i++)
        {
            if (level > 1) below = await IndirectAsync(U32(node, i * 4), level - 1, below, cancellation);
            else Add(below++, U32(node, i * 4), 1, false);
        }
        return at + covers;
    }

    private void Add(long fileBlock, long block, long count, bool unwritten)
    {
        count = Math.Min(count, _fileBlocks - fileBlock);
        if (block == 0 || count <= 0) return;
        if (block < 0 || block + count > superblock.Blocks) throw new DiskFormatException($"ext: inode {inode.Number} has its data at block {block} of {superblock.Blocks}");
        if (_extents.Count >= MostExtents) throw new DiskFormatException($"ext: inode {inode.Number} is in too many pieces");
        var offset = fileBlock * superblock.BlockSize;
        var length = Math.Min(count * superblock.BlockSize, inode.Length - offset);
        if (_extents.Count > 0 && offset < _extents[^1].FileOffset + _extents[^1].Length)
            throw new DiskFormatException($"ext: inode {inode.Number} has two places for one byte");
        if (_extents.Count > 0 && _extents[^1] is var last && last.Unwritten == unwritten && last.FileOffset + last.Length == offset
            && last.DiskOffset + last.Length == blocks.DiskOffset(block))
            _extents[^1] = last with { Length = last.Length + length };
        else _extents.Add(new(offset, blocks.DiskOffset(block), length, unwritten));
    }

    private ValueTask<byte[]> NodeAsync(long block, CancellationToken cancellation)
    {
        if (++_nodes > MostNodes) throw new DiskFormatException($"ext: the blocks of inode {inode.Number} lead in circles");
        return blocks.ReadAsync(block, cancellation);
    }

    private static ushort U16(ReadOnlyMemory<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes.Span[at..]);

    private static uint U32(ReadOnlyMemory<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.Span[at..]);
}
