using System.Buffers.Binary;
using Slipway.Disks;
using Slipway.Volumes.Qcow2.Files;

namespace Slipway.Volumes.Formats;

/// <summary>Hyper-V's VHDX, fixed or dynamic, closed cleanly: an image whose log is not empty is refused, not replayed.</summary>
internal sealed class VhdxImage : ForeignImage
{
    private const int Megabyte = VhdxFormat.Megabyte;
    private readonly long _table;
    private readonly long _tableBytes;
    private readonly long _chunkRatio;

    private VhdxImage(IImageFile file, VhdxMetadata metadata, (long Offset, long Length) table) : base(file, metadata.Length, metadata.BlockSize)
    {
        (_table, _tableBytes) = table;
        _chunkRatio = VhdxFormat.ChunkRatio(metadata.SectorSize, metadata.BlockSize);
    }

    public static async ValueTask<IBlockDevice> OpenAsync(IImageFile file, CancellationToken cancellation)
    {
        Inside(file, 0, Megabyte, "vhdx: the header section");
        var section = new byte[Megabyte];
        await file.ReadAsync(0, section, cancellation);
        var header = NewestHeader(section);
        var version = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(66));
        if (version != 1) throw new DiskFormatException($"vhdx: version {version} is not known; 1 is");
        if (new Guid(header.AsSpan(48, 16)) != Guid.Empty)
            throw new DiskFormatException("vhdx: the image was not closed, and its log has to be replayed first: `qemu-img check -r all` does, or Hyper-V when it opens it");
        var regions = RegionTable(section);
        var metadata = await VhdxMetadata.ReadAsync(file, regions[VhdxFormat.MetadataRegion], cancellation);
        return new VhdxImage(file, metadata, regions[VhdxFormat.BlockTableRegion]);
    }

    protected override async ValueTask<ForeignBlock> FindAsync(long block, CancellationToken cancellation)
    {
        var at = (block + block / _chunkRatio) * 8;
        if (at + 8 > _tableBytes) throw new DiskFormatException($"vhdx: block {block} is past the end of the block allocation table");
        var entry = BinaryPrimitives.ReadUInt64LittleEndian(await ReadAsync(_table + at, 8, "vhdx: the block allocation table", cancellation));
        return (entry & 7) switch
        {
            // §2.5.1.1: not present, undefined, zero, unmapped: without a parent all read as zeroes.
            <= 3 => Nowhere,
            VhdxFormat.FullyPresent => new((long)(entry >> 20) * Megabyte),
            var state => throw new DiskFormatException($"vhdx: block {block} has the state {state}, which only a differencing disk has"),
        };
    }

    // §2.2.2: of the headers that are whole, the one with the greater sequence number.
    private static byte[] NewestHeader(byte[] section)
    {
        byte[]? newest = null;
        foreach (var at in (long[])[VhdxFormat.FirstHeader, VhdxFormat.SecondHeader])
        {
            var header = section.AsSpan((int)at, VhdxFormat.HeaderSize);
            if (!header.StartsWith("head"u8) || VhdxFormat.Checksum(header) != BinaryPrimitives.ReadUInt32LittleEndian(header[4..])) continue;
            if (newest is null || BinaryPrimitives.ReadUInt64LittleEndian(header[8..]) > BinaryPrimitives.ReadUInt64LittleEndian(newest.AsSpan(8))) newest = header.ToArray();
        }
        return newest ?? throw new DiskFormatException("vhdx: neither of the two headers is whole");
    }

    // §2.2.3: two copies, either of them will do.
    private static Dictionary<Guid, (long Offset, long Length)> RegionTable(byte[] section)
    {
        foreach (var at in (long[])[VhdxFormat.FirstRegionTable, VhdxFormat.SecondRegionTable])
        {
            var table = section.AsSpan((int)at, VhdxFormat.TableSize);
            if (!table.StartsWith("regi"u8) || VhdxFormat.Checksum(table) != BinaryPrimitives.ReadUInt32LittleEndian(table[4..])) continue;
            var count = BinaryPrimitives.ReadUInt32LittleEndian(table[8..]);
            if (count > 2047) throw new DiskFormatException($"vhdx: a region table of {count} entries");
            var regions = new Dictionary<Guid, (long, long)>();
            for (var i = 0; i < count; i++)
            {
                var entry = table.Slice(16 + i * 32, 32);
                var id = new Guid(entry[..16]);
                if (id != VhdxFormat.BlockTableRegion && id != VhdxFormat.MetadataRegion && (entry[28] & 1) != 0)
                    throw new DiskFormatException($"vhdx: the image needs the region {id}, which is not known");
                regions[id] = (BinaryPrimitives.ReadInt64LittleEndian(entry[16..]), BinaryPrimitives.ReadUInt32LittleEndian(entry[24..]));
            }
            if (!regions.ContainsKey(VhdxFormat.BlockTableRegion) || !regions.ContainsKey(VhdxFormat.MetadataRegion))
                throw new DiskFormatException("vhdx: the region table has no block allocation table, or no metadata");
            return regions;
        }
        throw new DiskFormatException("vhdx: neither of the two region tables is whole");
    }
}
