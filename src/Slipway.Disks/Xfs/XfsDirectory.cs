using System.Buffers.Binary;
using System.Text;
using Slipway.Disks.FileSystems;

namespace Slipway.Disks.Xfs;

/// <summary>
/// The names in a directory (XFS Algorithms &amp; Data Structures, "Directories"; Linux,
/// fs/xfs/libxfs/xfs_da_format.h): in its inode, or in blocks. The blocks that find a name by its hash, from 32 GiB in
/// the directory on, are not needed for a list.
/// </summary>
internal static class XfsDirectory
{
    /// <summary>Where the blocks with names end and those with hashes begin.</summary>
    public const long MostBytes = 1L << 35;

    private const int HeaderLength = 16, HeaderLengthVersion5 = 64, Checksum = 4, Owner = 40;
    private const ushort FreeTag = 0xFFFF;

    /// <summary>In the inode: counts, the parent, and names with their inodes, all of 8 bytes if one needs that (struct xfs_dir2_sf_hdr).</summary>
    public static List<XfsName> InInode(XfsInode inode, XfsSuperblock superblock)
    {
        var names = new List<XfsName>();
        var bytes = inode.Fork.Span;
        int count = bytes[0], numberLength = bytes[1] > 0 ? 8 : 4;
        bytes = bytes[(2 + numberLength)..];
        var type = superblock.HasFileTypes ? 1 : 0;
        for (var i = 0; i < count; i++)
        {
            int nameLength = bytes.Length > 0 ? bytes[0] : 0, end = 3 + nameLength + type + numberLength;
            if (nameLength == 0 || end > bytes.Length) throw new DiskFormatException($"xfs: directory {inode.Number} has a damaged record");
            var number = bytes[(end - numberLength)..];
            names.Add(new(
                Encoding.UTF8.GetString(bytes.Slice(3, nameLength)),
                numberLength == 8 ? BinaryPrimitives.ReadUInt64BigEndian(number) : BinaryPrimitives.ReadUInt32BigEndian(number),
                type == 1 ? KindOf(bytes[3 + nameLength]) : FileKind.Other));
            bytes = bytes[end..];
        }
        return names;
    }

    /// <summary>A block of names and free room (struct xfs_dir2_data_hdr); a directory's only one has its hashes at its end.</summary>
    public static void InBlock(ReadOnlySpan<byte> block, XfsInode inode, XfsBlocks blocks, List<XfsName> names)
    {
        var version5 = blocks.Superblock.HasChecksums;
        var only = block.StartsWith(version5 ? "XDB3"u8 : "XD2B"u8);
        if (!only && !block.StartsWith(version5 ? "XDD3"u8 : "XD2D"u8)) throw new DiskFormatException($"xfs: directory {inode.Number} has a block that is none of names");
        blocks.Verify(block, "directory block", inode.Number, Checksum, Owner);
        var header = version5 ? HeaderLengthVersion5 : HeaderLength;
        var end = only ? block.Length - 8 - BinaryPrimitives.ReadUInt32BigEndian(block[^8..]) * 8L : block.Length;
        if (end < header) throw new DiskFormatException($"xfs: directory {inode.Number} has more hashes than fit");
        Names(block[header..(int)end], inode, blocks.Superblock.HasFileTypes ? 1 : 0, names);
    }

    // A record begins at each multiple of 8 bytes: an inode, a name, perhaps a type, and its own place; or free room.
    private static void Names(ReadOnlySpan<byte> records, XfsInode inode, int type, List<XfsName> names)
    {
        while (records.Length >= 8)
        {
            var free = BinaryPrimitives.ReadUInt16BigEndian(records) == FreeTag;
            int nameLength = free || records.Length < 9 ? 0 : records[8];
            var length = free ? BinaryPrimitives.ReadUInt16BigEndian(records[2..]) : (8 + 1 + nameLength + type + 2 + 7) / 8 * 8;
            if (length == 0 || length % 8 != 0 || length > records.Length || (!free && nameLength == 0))
                throw new DiskFormatException($"xfs: directory {inode.Number} has a damaged record");
            if (!free && Encoding.UTF8.GetString(records.Slice(9, nameLength)) is not ("." or "..") and var name)
                names.Add(new(name, BinaryPrimitives.ReadUInt64BigEndian(records), type == 1 ? KindOf(records[9 + nameLength]) : FileKind.Other));
            records = records[length..];
        }
    }

    private static FileKind KindOf(byte type) => type switch
    {
        1 => FileKind.File,
        2 => FileKind.Directory,
        7 => FileKind.SymbolicLink,
        _ => FileKind.Other,
    };
}

/// <param name="Kind"><see cref="FileKind.Other"/>, too, where the directory does not tell.</param>
internal readonly record struct XfsName(string Name, ulong Inode, FileKind Kind);
