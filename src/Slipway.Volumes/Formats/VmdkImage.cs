using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Slipway.Disks;
using Slipway.Volumes.Qcow2.Files;

namespace Slipway.Volumes.Formats;

/// <summary>
/// VMware's hosted sparse extent ("Virtual Disk Format 5.0"), one file: monolithic sparse, and stream-optimised with
/// compressed grains. A grain directory leads to grain tables, these to grains. Numbers are little-endian, places in sectors.
/// </summary>
internal sealed class VmdkImage : ForeignImage
{
    private const uint CompressedGrains = 1 << 16, ZeroedGrains = 1 << 2;
    private const ulong DirectoryAtEnd = ulong.MaxValue;
    private const int MostTableEntries = 512, MarkerSize = 12, MostDescriptorBytes = 1 << 20;
    private readonly long _directory;
    private readonly int _tableEntries;
    private readonly bool _compressed;
    private readonly bool _zeroed;
    private volatile Unpacked? _unpacked;

    private VmdkImage(IImageFile file, byte[] header, long length, int grainSize) : base(file, length, grainSize)
    {
        _directory = BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(56)) * 512;
        _tableEntries = BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(44));
        var flags = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(8));
        (_compressed, _zeroed) = ((flags & CompressedGrains) != 0, (flags & ZeroedGrains) != 0);
    }

    public static ReadOnlySpan<byte> Signature => "KDMV"u8;

    public static async ValueTask<IBlockDevice> OpenAsync(IImageFile file, CancellationToken cancellation)
    {
        var header = await HeaderAsync(file, 0, cancellation);
        await CheckDescriptorAsync(file, header, cancellation);
        // A stream is written in one go: where the directory is it knows at its end, in a second header.
        if (BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(56)) == DirectoryAtEnd) header = await HeaderAsync(file, file.Length - 1024, cancellation);
        var sectors = BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(12));
        var grainSectors = BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(20));
        var tableEntries = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(44));
        var directory = BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(56));
        if (sectors is <= 0 or > 1L << 41) throw new DiskFormatException($"vmdk: a disk of {sectors} sectors");
        if (grainSectors is < 8 or > 1 << 14 || !long.IsPow2(grainSectors)) throw new DiskFormatException($"vmdk: grains of {grainSectors} sectors");
        if (tableEntries is 0 or > MostTableEntries) throw new DiskFormatException($"vmdk: grain tables of {tableEntries} entries");
        if (directory is <= 0 or > 1L << 41) throw new DiskFormatException($"vmdk: the grain directory is at sector {directory}");
        var tables = (sectors - 1) / (grainSectors * tableEntries) + 1;
        Inside(file, directory * 512, tables * 4, "vmdk: the grain directory");
        return new VmdkImage(file, header, sectors * 512, (int)grainSectors * 512);
    }

    protected override async ValueTask<ForeignBlock> FindAsync(long block, CancellationToken cancellation)
    {
        var (table, index) = Math.DivRem(block, _tableEntries);
        var tableSector = await EntryAsync(_directory + table * 4, "grain directory", cancellation);
        // A whole table that is not there: its grains are passed over together.
        if (tableSector == 0) return new(0, Blocks: _tableEntries - index);
        var sector = await EntryAsync(tableSector * 512L + index * 4, "grain table", cancellation);
        return sector == 0 || (_zeroed && sector == 1) ? Nowhere : new(sector * 512L, _compressed);
    }

    /// <summary>A marker (the grain's first sector, the bytes that follow), then those bytes, as RFC 1950 has them.</summary>
    protected override async ValueTask<byte[]> UnpackAsync(long offset, long block, CancellationToken cancellation)
    {
        if (_unpacked is { } last && last.Offset == offset) return last.Bytes;
        var marker = await ReadAsync(offset, MarkerSize, $"vmdk: the grain {block}", cancellation);
        var sector = BinaryPrimitives.ReadInt64LittleEndian(marker);
        var length = BinaryPrimitives.ReadInt32LittleEndian(marker.AsSpan(8));
        if (sector != block * (BlockSize / 512)) throw new DiskFormatException($"vmdk: the grain of sector {block * (BlockSize / 512)} says that it is the one of {sector}");
        if (length <= 0 || length > 2 * BlockSize) throw new DiskFormatException($"vmdk: a compressed grain of {length} bytes");
        var packed = await ReadAsync(offset + MarkerSize, length, $"vmdk: the grain {block}", cancellation);
        var grain = new byte[BlockSize];
        try
        {
            await using var stream = new ZLibStream(new MemoryStream(packed, writable: false), CompressionMode.Decompress);
            // The last grain of a disk may be shorter.
            stream.ReadAtLeast(grain, grain.Length, throwOnEndOfStream: false);
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            throw new DiskFormatException($"vmdk: the grain {block} cannot be unpacked: {e.Message}");
        }
        _unpacked = new(offset, grain);
        return grain;
    }

    private async ValueTask<uint> EntryAsync(long offset, string what, CancellationToken cancellation) =>
        BinaryPrimitives.ReadUInt32LittleEndian(await ReadAsync(offset, 4, $"vmdk: the {what}", cancellation));

    private static async ValueTask<byte[]> HeaderAsync(IImageFile file, long offset, CancellationToken cancellation)
    {
        Inside(file, offset, 512, "vmdk: the header");
        var header = new byte[512];
        await file.ReadAsync(offset, header, cancellation);
        if (!header.AsSpan().StartsWith(Signature)) throw new DiskFormatException("vmdk: the header at the file's end is missing: it was cut short");
        var version = BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(4));
        if (version is < 1 or > 3) throw new DiskFormatException($"vmdk: version {version} is not known; 1 to 3 are");
        return header;
    }

    private static async ValueTask CheckDescriptorAsync(IImageFile file, byte[] header, CancellationToken cancellation)
    {
        var (sector, sectors) = (BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(28)), BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(36)));
        if (sector == 0) return;
        if (sectors is < 0 or > MostDescriptorBytes / 512 || sector is < 0 or > 1L << 41) throw new DiskFormatException($"vmdk: a descriptor of {sectors} sectors at {sector}");
        Inside(file, sector * 512, sectors * 512, "vmdk: the descriptor");
        var bytes = new byte[sectors * 512];
        await file.ReadAsync(sector * 512, bytes, cancellation);
        var text = Encoding.UTF8.GetString(bytes);
        if (Value(text, "createType") is { } type && type is not ("monolithicSparse" or "streamOptimized"))
            throw new DiskFormatException($"vmdk: the type {type} is not read; monolithicSparse and streamOptimized are: `qemu-img convert -O qcow2` makes one file of it");
        if (Value(text, "parentCID") is { } parent && parent != "ffffffff")
            throw new DiskFormatException("vmdk: the image stands on another: make it whole first, with `qemu-img convert -O qcow2`");
    }

    private static string? Value(string descriptor, string key)
    {
        foreach (var line in descriptor.Split('\n'))
        {
            if (line.Split('=', 2) is [var name, var value] && name.Trim() == key) return value.Trim(' ', '\t', '\r', '\0', '"');
        }
        return null;
    }

    private sealed record Unpacked(long Offset, byte[] Bytes);
}
