using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Slipway.Disks.Xfs;

/// <summary>
/// The superblock, version 4 or 5 (XFS Algorithms &amp; Data Structures, "Superblocks"; Linux,
/// fs/xfs/libxfs/xfs_format.h, struct xfs_dsb): what reading needs of it.
/// </summary>
/// <param name="GroupBlocks">Blocks of each allocation group but the last, which has the rest.</param>
/// <param name="GroupBlocksLog">A block's number is its group's, shifted by this, and its place in the group.</param>
/// <param name="LogStart">The log's first block; 0 where it is on another disk.</param>
/// <param name="HasChecksums">Version 5: metadata carries checksums and says whose it is, in longer headers.</param>
/// <param name="HasFileTypes">Directories tell what each name is.</param>
internal sealed record XfsSuperblock(
    int BlockSize, long Blocks, ulong RootInode, long GroupBlocks, uint Groups, int GroupBlocksLog, int InodeSize, int InodesPerBlockLog,
    int DirectoryBlockSize, ulong LogStart, uint LogBlocks, bool HasChecksums, bool HasFileTypes)
{
    public const int Length = 512;
    private const int ChecksumField = 224;

    // Those of them that change where things are, are read; the rest is of no concern to a reader.
    private const XfsIncompatible Understood = XfsIncompatible.FileTypes | XfsIncompatible.SparseInodes | XfsIncompatible.MetadataId
        | XfsIncompatible.BigTimes | XfsIncompatible.LargeExtentCounts | XfsIncompatible.ExchangeRange | XfsIncompatible.ParentPointers
        | XfsIncompatible.MetadataDirectory;

    private const int DirectoriesVersion2 = 0x2000, Shared = 0x200, MoreBits = 0x8000;
    private const uint FileTypesBit = 0x200, UnderstoodVersion4 = 0x2 | 0x8 | 0x80 | FileTypesBit;

    public static bool IsThere(ReadOnlySpan<byte> bytes) => bytes.StartsWith("XFSB"u8);

    public static string LabelOf(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes.Slice(108, 12)).TrimEnd('\0');

    /// <summary>The sector that the checksum covers, in bytes.</summary>
    /// <exception cref="DiskFormatException">Sectors have no size that there is.</exception>
    public static int SectorSizeOf(ReadOnlySpan<byte> bytes)
    {
        int size = U16(bytes, 102);
        return size is >= 512 and <= 32768 && BitOperations.IsPow2(size) ? size : throw new DiskFormatException($"xfs: sectors of {size} bytes");
    }

    /// <param name="sector">The whole first sector.</param>
    /// <exception cref="DiskFormatException">It is damaged, or the file system has what is not understood; the message says what.</exception>
    public static XfsSuperblock Parse(ReadOnlySpan<byte> sector, long regionLength)
    {
        int versionBits = U16(sector, 100), version = versionBits & 0xF;
        var features = (versionBits & MoreBits) != 0 ? U32(sector, 200) : 0;
        if (version == 5)
        {
            if (!StructureChecksum.IsRight(sector, ChecksumField)) throw new DiskFormatException("xfs: the superblock has a wrong checksum");
            var incompatible = (XfsIncompatible)U32(sector, 216);
            if ((incompatible & XfsIncompatible.NeedsRepair) != 0) throw new DiskFormatException("xfs: the file system says that it needs xfs_repair first");
            if ((incompatible & ~Understood) is not 0 and var unknown)
                throw new DiskFormatException($"xfs: the incompatible features 0x{(uint)unknown:x} are not understood");
            return Geometry(sector, regionLength, hasChecksums: true, (incompatible & XfsIncompatible.FileTypes) != 0);
        }
        if (version != 4 || (versionBits & DirectoriesVersion2) == 0)
            throw new DiskFormatException($"xfs: version {version}{(version == 4 ? " with directories of version 1" : "")} is not understood; 4 and 5 are");
        if ((versionBits & Shared) != 0 || (features & ~UnderstoodVersion4) != 0)
            throw new DiskFormatException($"xfs: the features 0x{versionBits:x} and 0x{features:x} are not understood");
        return Geometry(sector, regionLength, hasChecksums: false, (features & FileTypesBit) != 0);
    }

    private static XfsSuperblock Geometry(ReadOnlySpan<byte> bytes, long regionLength, bool hasChecksums, bool hasFileTypes)
    {
        var blockSize = U32(bytes, 4);
        var (blocks, groupBlocks, groups) = ((long)U64(bytes, 8), U32(bytes, 84), U32(bytes, 88));
        int inodeSize = U16(bytes, 104), directoryLog = bytes[192];
        if (blockSize is < 512 or > 65536 || !BitOperations.IsPow2(blockSize)) throw new DiskFormatException($"xfs: blocks of {blockSize} bytes");
        if (inodeSize is < 256 or > 2048 || inodeSize > blockSize || !BitOperations.IsPow2(inodeSize)) throw new DiskFormatException($"xfs: inodes of {inodeSize} bytes");
        if (directoryLog > 7 || blockSize << directoryLog > 65536) throw new DiskFormatException($"xfs: directory blocks of {blockSize} << {directoryLog} bytes");
        if (bytes[126] != 0) throw new DiskFormatException("xfs: mkfs.xfs has not finished here");
        if (blocks <= 0 || blocks > regionLength / blockSize) throw new DiskFormatException($"xfs: {blocks} blocks of {blockSize} bytes do not fit into {regionLength} bytes");
        if (groups == 0 || groupBlocks == 0 || blocks > (long)groups * groupBlocks || blocks <= (groups - 1L) * groupBlocks)
            throw new DiskFormatException($"xfs: {groups} allocation groups of {groupBlocks} blocks are not the {blocks} blocks that there are");
        return new((int)blockSize, blocks, U64(bytes, 56), groupBlocks, groups, groupBlocks == 1 ? 0 : BitOperations.Log2(groupBlocks - 1) + 1,
            inodeSize, BitOperations.Log2(blockSize / (uint)inodeSize), (int)blockSize << directoryLog, U64(bytes, 48), U32(bytes, 96), hasChecksums, hasFileTypes);
    }

    private static ushort U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]);

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32BigEndian(bytes[at..]);

    private static ulong U64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt64BigEndian(bytes[at..]);
}

/// <summary>Features without which a reader would misread (sb_features_incompat).</summary>
[Flags]
internal enum XfsIncompatible : uint
{
    FileTypes = 0x1,
    SparseInodes = 0x2,
    MetadataId = 0x4,
    BigTimes = 0x8,
    NeedsRepair = 0x10,
    LargeExtentCounts = 0x20,
    ExchangeRange = 0x40,
    ParentPointers = 0x80,
    MetadataDirectory = 0x100,
}
