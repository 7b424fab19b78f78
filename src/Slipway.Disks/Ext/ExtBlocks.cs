using System.Buffers.Binary;

namespace Slipway.Disks.Ext;

/// <summary>A volume's blocks; the ones read last are kept, since inodes and directories share them.</summary>
internal sealed class ExtBlocks(DiskRegion region, ExtSuperblock superblock)
{
    private const int MostBytesKept = 8 * 1024 * 1024;
    private readonly Dictionary<long, byte[]> _kept = [];

    public DiskRegion Region => region;

    public long DiskOffset(long block) => region.Start + block * superblock.BlockSize;

    public async ValueTask<byte[]> ReadAsync(long block, CancellationToken cancellation)
    {
        if (_kept.TryGetValue(block, out var bytes)) return bytes;
        if (block < 0 || block >= superblock.Blocks)
            throw new DiskFormatException($"ext: block {block} is not one of {superblock.Blocks}");
        bytes = await region.ReadAsync(block * superblock.BlockSize, superblock.BlockSize, cancellation);
        if (_kept.Count * (long)superblock.BlockSize >= MostBytesKept) _kept.Clear();
        return _kept[block] = bytes;
    }

    public async ValueTask<ExtInode> InodeAsync(uint number, CancellationToken cancellation)
    {
        if (number == 0 || number > superblock.Inodes) throw new DiskFormatException($"ext: inode {number} is not one of {superblock.Inodes}");
        var (group, index) = Math.DivRem(number - 1, superblock.InodesPerGroup);

        // Group descriptors follow the superblock's block; with 64bit the table's number has a high half.
        var at = (superblock.FirstDataBlock + 1L) * superblock.BlockSize + (long)group * superblock.DescriptorSize;
        var descriptors = await ReadAsync(at / superblock.BlockSize, cancellation);
        var within = (int)(at % superblock.BlockSize);
        if (within + superblock.DescriptorSize > descriptors.Length) throw new DiskFormatException("ext: a group descriptor lies across blocks");
        long table = BinaryPrimitives.ReadUInt32LittleEndian(descriptors.AsSpan(within + 8));
        if (superblock.DescriptorSize >= 64) table |= (long)BinaryPrimitives.ReadUInt32LittleEndian(descriptors.AsSpan(within + 40)) << 32;
        if (table <= 0 || table >= superblock.Blocks) throw new DiskFormatException($"ext: group {group} has its inodes at block {table} of {superblock.Blocks}");

        var offset = table * superblock.BlockSize + (long)index * superblock.InodeSize;
        var block = await ReadAsync(offset / superblock.BlockSize, cancellation);
        return new(number, region.Start + offset, block.AsMemory((int)(offset % superblock.BlockSize), superblock.InodeSize));
    }
}
