using System.Buffers.Binary;
using Slipway.Disks.FileSystems;

namespace Slipway.Disks.Xfs;

/// <summary>
/// An inode's bytes, where they are on the disk, and what they say (XFS Algorithms &amp; Data Structures, "On-disk
/// Inode"; Linux, fs/xfs/libxfs/xfs_format.h, struct xfs_dinode).
/// </summary>
internal readonly record struct XfsInode(ulong Number, long DiskOffset, ReadOnlyMemory<byte> Bytes)
{
    private const int ChecksumField = 100;
    private const int CoreLength = 100, CoreLengthVersion3 = 176;
    private const ushort Realtime = 0x1;
    private const ulong LargeExtentCounts = 0x10;

    public bool HasMagic => Bytes.Span.StartsWith("IN"u8);

    public FileKind Kind => (U16(2) & 0xF000) switch
    {
        0x8000 => FileKind.File,
        0x4000 => FileKind.Directory,
        0xA000 => FileKind.SymbolicLink,
        _ => FileKind.Other,
    };

    public long Length => (long)U64(56) is >= 0 and var length ? length : throw new DiskFormatException($"xfs: inode {Number} has a negative length");

    public XfsForkFormat Format => (XfsForkFormat)Bytes.Span[5];

    /// <summary>Where the data fork begins in the inode.</summary>
    public int ForkOffset => IsVersion3 ? CoreLengthVersion3 : CoreLength;

    /// <summary>The data fork: the data itself, its extents, or the root of their tree. What follows it are attributes.</summary>
    public ReadOnlyMemory<byte> Fork
    {
        get
        {
            var room = Bytes[ForkOffset..];
            var length = Bytes.Span[82] * 8;
            if (length > room.Length) throw new DiskFormatException($"xfs: inode {Number} has attributes past its end");
            return length == 0 ? room : room[..length];
        }
    }

    public ulong Extents => IsVersion3 && (U64(120) & LargeExtentCounts) != 0 ? U64(24) : U32(76);

    /// <summary>The blocks are another disk's.</summary>
    public bool IsRealtime => Kind == FileKind.File && (U16(90) & Realtime) != 0;

    private bool IsVersion3 => Bytes.Span[4] >= 3;

    /// <summary>Checks what version 3, version 5's inode, says of itself.</summary>
    public void Verify()
    {
        if (!StructureChecksum.IsRight(Bytes.Span, ChecksumField)) throw new DiskFormatException($"xfs: inode {Number} has a wrong checksum");
        if (!IsVersion3 || U64(152) != Number) throw new DiskFormatException($"xfs: where inode {Number} would be is another one");
    }

    private ushort U16(int at) => BinaryPrimitives.ReadUInt16BigEndian(Bytes.Span[at..]);

    private uint U32(int at) => BinaryPrimitives.ReadUInt32BigEndian(Bytes.Span[at..]);

    private ulong U64(int at) => BinaryPrimitives.ReadUInt64BigEndian(Bytes.Span[at..]);
}

/// <summary>What the data fork holds (di_format).</summary>
internal enum XfsForkFormat : byte
{
    Device,
    Local,
    Extents,
    Tree,
}
