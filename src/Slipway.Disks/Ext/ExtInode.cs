using System.Buffers.Binary;
using Slipway.Disks.FileSystems;

namespace Slipway.Disks.Ext;

/// <summary>An inode's bytes, where they are on the disk, and what they say.</summary>
internal readonly record struct ExtInode(uint Number, long DiskOffset, ReadOnlyMemory<byte> Bytes)
{
    private const int BlockField = 40;
    private const int BlockFieldLength = 60;
    private const uint AttributeMagic = 0xEA020000;

    public FileKind Kind => (BinaryPrimitives.ReadUInt16LittleEndian(Bytes.Span) & 0xF000) switch
    {
        0x8000 => FileKind.File,
        0x4000 => FileKind.Directory,
        0xA000 => FileKind.SymbolicLink,
        _ => FileKind.Other,
    };

    public long Length
    {
        get
        {
            var length = BinaryPrimitives.ReadUInt32LittleEndian(Bytes.Span[4..]) | (long)BinaryPrimitives.ReadUInt32LittleEndian(Bytes.Span[108..]) << 32;
            return length >= 0 ? length : throw new DiskFormatException($"ext: inode {Number} has a negative length");
        }
    }

    public bool HasExtents => (Flags & 0x80000) != 0;

    public bool IsInline => (Flags & 0x10000000) != 0;

    /// <summary>A symbolic link of less than 60 bytes lies where a file has its block numbers.</summary>
    public bool IsFastLink => Kind == FileKind.SymbolicLink && !HasExtents && !IsInline && Length < BlockFieldLength;

    /// <summary>Block numbers, the extent tree's root, inline data or a short link.</summary>
    public ReadOnlyMemory<byte> Block => Bytes.Slice(BlockField, BlockFieldLength);

    private uint Flags => BinaryPrimitives.ReadUInt32LittleEndian(Bytes.Span[32..]);

    /// <summary>Where data that fits into the inode itself lies: the block field, and the rest in the attribute system.data.</summary>
    public List<FileExtent> InlineExtents()
    {
        var extents = new List<FileExtent> { new(0, DiskOffset + BlockField, Math.Min(Length, BlockFieldLength)) };
        if (Length <= BlockFieldLength) return extents;
        if (InlineAttribute() is not { } rest || rest.Length < Length - BlockFieldLength)
            throw new DiskFormatException($"ext: inode {Number} holds {Length} bytes within itself, but has no room for them");
        extents.Add(new(BlockFieldLength, DiskOffset + rest.At, Length - BlockFieldLength));
        return extents;
    }

    private (int At, int Length)? InlineAttribute()
    {
        var bytes = Bytes.Span;
        if (bytes.Length <= 132) return null;
        var header = 128 + BinaryPrimitives.ReadUInt16LittleEndian(bytes[128..]);
        if (header + 4 > bytes.Length || BinaryPrimitives.ReadUInt32LittleEndian(bytes[header..]) != AttributeMagic) return null;
        var first = header + 4;
        for (var at = first; at + 16 <= bytes.Length && BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]) != 0;)
        {
            int nameLength = bytes[at];
            if (at + 16 + nameLength > bytes.Length) return null;
            var place = first + BinaryPrimitives.ReadUInt16LittleEndian(bytes[(at + 2)..]);
            var length = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(at + 8)..]);
            if (bytes[at + 1] == 7 && bytes.Slice(at + 16, nameLength).SequenceEqual("data"u8))
                return length <= bytes.Length && place + (int)length <= bytes.Length ? (place, (int)length) : null;
            at += 16 + (nameLength + 3) / 4 * 4;
        }
        return null;
    }
}
