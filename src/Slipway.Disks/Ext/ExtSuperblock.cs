using System.Buffers.Binary;
using System.Text;

namespace Slipway.Disks.Ext;

/// <summary>The superblock of ext2, ext3 and ext4 (kernel documentation, ext4 "Super Block"): what reading needs of it.</summary>
internal sealed record ExtSuperblock(
    int BlockSize, long Blocks, uint Inodes, uint InodesPerGroup, uint FirstDataBlock, int InodeSize, int DescriptorSize,
    ExtIncompatible Incompatible, bool HasJournal, string Label)
{
    public const int Offset = 1024;
    public const int Length = 1024;

    // Checksums, journals and quotas are of no concern to a reader; these change where things are, and are understood.
    private const ExtIncompatible Understood = ExtIncompatible.FileType | ExtIncompatible.Recover | ExtIncompatible.Extents | ExtIncompatible.Bits64
        | ExtIncompatible.MultipleMount | ExtIncompatible.FlexibleGroups | ExtIncompatible.ChecksumSeed | ExtIncompatible.LargeDirectory
        | ExtIncompatible.InlineData | ExtIncompatible.CaseFold | ExtIncompatible.Encrypt | ExtIncompatible.AttributeInode;

    public string Kind => (Incompatible & (ExtIncompatible.Extents | ExtIncompatible.Bits64 | ExtIncompatible.FlexibleGroups)) != 0 ? "ext4" : HasJournal ? "ext3" : "ext2";

    /// <summary>Null where there is no such file system, or one with a layout that is not understood.</summary>
    public static ExtSuperblock? Parse(ReadOnlySpan<byte> bytes, long regionLength)
    {
        if (U16(bytes, 56) != 0xEF53) return null;
        var logBlockSize = U32(bytes, 24);
        if (logBlockSize > 6) return null;
        var blockSize = 1024 << (int)logBlockSize;
        var incompatible = U32(bytes, 76) == 0 ? 0 : (ExtIncompatible)U32(bytes, 96);
        if ((incompatible & ~Understood) != 0) return null;
        var wide = (incompatible & ExtIncompatible.Bits64) != 0;
        var blocks = U32(bytes, 4) | (wide ? (long)U32(bytes, 0x150) << 32 : 0);
        var inodeSize = U32(bytes, 76) == 0 ? 128 : U16(bytes, 88);
        var descriptorSize = wide ? U16(bytes, 254) : 32;
        var inodes = U32(bytes, 0);
        var perGroup = U32(bytes, 40);
        if (inodeSize < 128 || inodeSize > blockSize || (inodeSize & (inodeSize - 1)) != 0) return null;
        if (descriptorSize is < 32 or > 1024 || perGroup == 0 || inodes == 0 || blocks <= 0 || blocks > regionLength / blockSize) return null;
        var label = Encoding.UTF8.GetString(bytes.Slice(120, 16));
        var end = label.IndexOf('\0', StringComparison.Ordinal);
        return new(blockSize, blocks, inodes, perGroup, U32(bytes, 20), inodeSize, descriptorSize, incompatible,
            (U32(bytes, 92) & 0x4) != 0, end < 0 ? label : label[..end]);
    }

    private static ushort U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);
}

/// <summary>Features without which a reader would misread (s_feature_incompat).</summary>
[Flags]
internal enum ExtIncompatible : uint
{
    FileType = 0x2,
    Recover = 0x4,
    Extents = 0x40,
    Bits64 = 0x80,
    MultipleMount = 0x100,
    FlexibleGroups = 0x200,
    AttributeInode = 0x400,
    ChecksumSeed = 0x2000,
    LargeDirectory = 0x4000,
    InlineData = 0x8000,
    Encrypt = 0x10000,
    CaseFold = 0x20000,
}
