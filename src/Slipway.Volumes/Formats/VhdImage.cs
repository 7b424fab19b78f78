using System.Buffers.Binary;
using System.Text;
using Slipway.Disks;
using Slipway.Volumes.Qcow2.Files;

namespace Slipway.Volumes.Formats;

/// <summary>
/// Microsoft's Virtual Hard Disk, fixed or dynamic ("Virtual Hard Disk Image Format Specification", 1.0). The footer ends
/// the file; a dynamic one has a copy in front, then the header and the block allocation table. Numbers are big-endian.
/// </summary>
internal sealed class VhdImage : ForeignImage
{
    public const int FooterSize = 512;
    private const int Fixed = 2, Dynamic = 3, Differencing = 4;
    private const int HeaderSize = 1024;
    private const uint Unallocated = uint.MaxValue;
    private readonly long _table;
    private readonly int _bitmapBytes;

    private VhdImage(IImageFile file, long length, int blockSize, long table) : base(file, length, blockSize)
    {
        _table = table;
        // Before each block: one bit for each of its sectors, in whole sectors.
        _bitmapBytes = (blockSize / 512 / 8 + 511) / 512 * 512;
    }

    public static bool IsFooter(ReadOnlySpan<byte> sector) => sector.Length >= 8 && sector.StartsWith("conectix"u8);

    /// <summary>How many bytes a fixed disk has whose footer this is; 0 for anything else.</summary>
    public static long FixedSize(ReadOnlySpan<byte> footer) =>
        IsFooter(footer) && BinaryPrimitives.ReadInt32BigEndian(footer[60..]) == Fixed ? BinaryPrimitives.ReadInt64BigEndian(footer[48..]) : 0;

    public static async ValueTask<IBlockDevice> OpenAsync(IImageFile file, CancellationToken cancellation)
    {
        Inside(file, file.Length - FooterSize, FooterSize, "vhd: the footer");
        var footer = new byte[FooterSize];
        await file.ReadAsync(file.Length - FooterSize, footer, cancellation);
        if (!IsFooter(footer)) throw new DiskFormatException("vhd: the file does not end with the footer: it was cut short");
        CheckSum(footer, 64, "footer");
        var length = CheckLength(BinaryPrimitives.ReadInt64BigEndian(footer.AsSpan(48)), "vhd");
        switch (BinaryPrimitives.ReadInt32BigEndian(footer.AsSpan(60)))
        {
            case Fixed:
                Inside(file, 0, length, "vhd: the disk");
                return new FixedImage(file, length);
            case Dynamic:
                return await OpenDynamicAsync(file, length, BinaryPrimitives.ReadInt64BigEndian(footer.AsSpan(16)), cancellation);
            case Differencing:
                var parent = await ParentAsync(file, BinaryPrimitives.ReadInt64BigEndian(footer.AsSpan(16)), cancellation);
                throw new DiskFormatException($"vhd: a differencing disk, which stands on {parent}: make it whole first, with Hyper-V's Merge-VHD or Convert-VHD");
            case var type:
                throw new DiskFormatException($"vhd: a disk of type {type}; fixed (2) and dynamic (3) ones are read");
        }
    }

    protected override async ValueTask<ForeignBlock> FindAsync(long block, CancellationToken cancellation)
    {
        var sector = BinaryPrimitives.ReadUInt32BigEndian(await ReadAsync(_table + block * 4, 4, "vhd: the block allocation table", cancellation));
        // The sectors that the bitmap leaves out are zero in the block as well.
        return sector == Unallocated ? Nowhere : new(sector * 512L + _bitmapBytes);
    }

    private static async ValueTask<VhdImage> OpenDynamicAsync(IImageFile file, long length, long offset, CancellationToken cancellation)
    {
        var header = await HeaderAsync(file, offset, cancellation);
        var table = BinaryPrimitives.ReadInt64BigEndian(header.AsSpan(16));
        var entries = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(28));
        var blockSize = BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(32));
        if (blockSize is < 4096 or > 1 << 28 || !int.IsPow2(blockSize)) throw new DiskFormatException($"vhd: blocks of {blockSize} bytes");
        if (entries < (length + blockSize - 1) / blockSize) throw new DiskFormatException($"vhd: a table of {entries} blocks does not fit a disk of {length} bytes");
        Inside(file, table, (length + blockSize - 1) / blockSize * 4, "vhd: the block allocation table");
        return new(file, length, blockSize, table);
    }

    private static async ValueTask<byte[]> HeaderAsync(IImageFile file, long offset, CancellationToken cancellation)
    {
        Inside(file, offset, HeaderSize, "vhd: the dynamic disk header");
        var header = new byte[HeaderSize];
        await file.ReadAsync(offset, header, cancellation);
        if (!header.AsSpan().StartsWith("cxsparse"u8)) throw new DiskFormatException("vhd: the dynamic disk header has another cookie than cxsparse");
        CheckSum(header, 36, "dynamic disk header");
        return header;
    }

    // "Parent Unicode Name": a file name in UTF-16, with zeroes behind it.
    private static async ValueTask<string> ParentAsync(IImageFile file, long offset, CancellationToken cancellation)
    {
        var header = await HeaderAsync(file, offset, cancellation);
        var name = Encoding.BigEndianUnicode.GetString(header.AsSpan(64, 512)).TrimEnd('\0');
        return name.Length > 0 && !name.Any(char.IsControl) ? name : "another";
    }

    // "Checksum": the ones' complement of the sum of all bytes, without the field itself.
    private static void CheckSum(ReadOnlySpan<byte> bytes, int field, string what)
    {
        uint sum = 0;
        for (var i = 0; i < bytes.Length; i++)
        {
            if (i < field || i >= field + 4) sum += bytes[i];
        }
        if (~sum != BinaryPrimitives.ReadUInt32BigEndian(bytes[field..])) throw new DiskFormatException($"vhd: the checksum of the {what} is wrong");
    }
}
