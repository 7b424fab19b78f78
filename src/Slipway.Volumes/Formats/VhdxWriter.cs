using System.Buffers.Binary;
using System.Text;
using Slipway.Disks;
using Slipway.Volumes.Import;
using Slipway.Volumes.Qcow2.Files;

namespace Slipway.Volumes.Formats;

/// <summary>
/// Writes a disk as a dynamic VHDX: header section, log (empty), metadata, block allocation table, then the blocks that
/// are not all zero. The headers come last: a file cut short before them is no image.
/// </summary>
internal static class VhdxWriter
{
    private const int BlockSize = 2 << 20, SectorSize = 512;
    private const int Megabyte = VhdxFormat.Megabyte;
    private const long Log = Megabyte, Metadata = 2 * Megabyte, Table = 3 * Megabyte;

    public static async ValueTask WriteAsync(IBlockDevice disk, IImageFile file, IProgress<ImportProgress>? progress, CancellationToken cancellation)
    {
        var blocks = (disk.Length + BlockSize - 1) / BlockSize;
        var entries = blocks + (blocks - 1) / VhdxFormat.ChunkRatio(SectorSize, BlockSize);
        var tableBytes = (entries * 8 + Megabyte - 1) / Megabyte * Megabyte;
        if (tableBytes > 1 << 30) throw new DiskFormatException($"vhdx: a disk of {disk.Length} bytes is too large");
        var table = new byte[tableBytes];
        var end = await WriteBlocksAsync(disk, file, table, Table + tableBytes, progress, cancellation);
        await file.WriteAsync(Table, table, cancellation);
        await file.WriteAsync(Metadata, MetadataRegion(disk.Length), cancellation);
        // The file ends on a whole megabyte, as its last block does.
        if (end == Table + tableBytes) await file.WriteAsync(end - 1, new byte[1], cancellation);
        await file.FlushAsync(cancellation);
        await file.WriteAsync(0, HeaderSection((uint)tableBytes), cancellation);
        await file.FlushAsync(cancellation);
    }

    private static async ValueTask<long> WriteBlocksAsync(
        IBlockDevice disk, IImageFile file, byte[] table, long end, IProgress<ImportProgress>? progress, CancellationToken cancellation)
    {
        var ratio = VhdxFormat.ChunkRatio(SectorSize, BlockSize);
        var buffer = new byte[BlockSize];
        for (var at = 0L; at < disk.Length;)
        {
            var extent = await disk.GetExtentAsync(at, cancellation);
            var block = at / BlockSize;
            if (extent.Kind != ExtentKind.Data && at % BlockSize == 0 && extent.Length >= Math.Min(BlockSize, disk.Length - at))
            {
                at = extent.Length + at == disk.Length ? disk.Length : (at + extent.Length) / BlockSize * BlockSize;
                continue;
            }
            var part = buffer.AsMemory(0, (int)Math.Min(BlockSize, disk.Length - at));
            await disk.ReadAsync(at, part, cancellation);
            if (part.Span.ContainsAnyExcept((byte)0))
            {
                buffer.AsSpan(part.Length).Clear();
                await file.WriteAsync(end, buffer, cancellation);
                var entry = (ulong)(end / Megabyte) << 20 | VhdxFormat.FullyPresent;
                BinaryPrimitives.WriteUInt64LittleEndian(table.AsSpan((int)(block + block / ratio) * 8), entry);
                end += BlockSize;
            }
            at += part.Length;
            progress?.Report(new("copy", at, disk.Length));
        }
        return end;
    }

    private static byte[] HeaderSection(uint tableBytes)
    {
        var section = new byte[Megabyte];
        VhdxFormat.FileSignature.CopyTo(section);
        // "Creator", in UTF-16.
        Encoding.Unicode.GetBytes("Slipway", section.AsSpan(8));
        foreach (var (at, sequence) in (ReadOnlySpan<(long, ulong)>)[(VhdxFormat.FirstHeader, 1), (VhdxFormat.SecondHeader, 2)])
        {
            var header = section.AsSpan((int)at, VhdxFormat.HeaderSize);
            "head"u8.CopyTo(header);
            BinaryPrimitives.WriteUInt64LittleEndian(header[8..], sequence);
            Guid.NewGuid().TryWriteBytes(header[16..]);
            Guid.NewGuid().TryWriteBytes(header[32..]);
            BinaryPrimitives.WriteUInt16LittleEndian(header[66..], 1);
            BinaryPrimitives.WriteUInt32LittleEndian(header[68..], Megabyte);
            BinaryPrimitives.WriteUInt64LittleEndian(header[72..], Log);
            BinaryPrimitives.WriteUInt32LittleEndian(header[4..], VhdxFormat.Checksum(header));
        }
        foreach (var at in (ReadOnlySpan<long>)[VhdxFormat.FirstRegionTable, VhdxFormat.SecondRegionTable])
        {
            var table = section.AsSpan((int)at, VhdxFormat.TableSize);
            "regi"u8.CopyTo(table);
            BinaryPrimitives.WriteUInt32LittleEndian(table[8..], 2);
            PutRegion(table[16..], VhdxFormat.BlockTableRegion, Table, tableBytes);
            PutRegion(table[48..], VhdxFormat.MetadataRegion, Metadata, Megabyte);
            BinaryPrimitives.WriteUInt32LittleEndian(table[4..], VhdxFormat.Checksum(table));
        }
        return section;
    }

    private static void PutRegion(Span<byte> entry, Guid id, long offset, uint length)
    {
        id.TryWriteBytes(entry);
        BinaryPrimitives.WriteInt64LittleEndian(entry[16..], offset);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[24..], length);
        entry[28] = 1;
    }

    private static byte[] MetadataRegion(long diskSize)
    {
        var region = new byte[Megabyte];
        var at = VhdxFormat.TableSize;
        var count = 0;
        "metadata"u8.CopyTo(region);
        // Flags: 2 for what concerns the virtual disk, 4 for what a reader must know.
        Put(VhdxFormat.FileParameters, 4, BitConverter.GetBytes((long)BlockSize));
        Put(VhdxFormat.DiskSize, 6, BitConverter.GetBytes(diskSize));
        Put(VhdxFormat.DiskId, 6, Guid.NewGuid().ToByteArray());
        Put(VhdxFormat.LogicalSectorSize, 6, BitConverter.GetBytes(SectorSize));
        Put(VhdxFormat.PhysicalSectorSize, 6, BitConverter.GetBytes(4096));
        BinaryPrimitives.WriteUInt16LittleEndian(region.AsSpan(10), (ushort)count);
        return region;

        void Put(Guid id, uint flags, byte[] value)
        {
            var entry = region.AsSpan(32 + count++ * 32, 32);
            id.TryWriteBytes(entry);
            BinaryPrimitives.WriteInt32LittleEndian(entry[16..], at);
            BinaryPrimitives.WriteInt32LittleEndian(entry[20..], value.Length);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[24..], flags);
            value.CopyTo(region, at);
            at += (value.Length + 15) / 16 * 16;
        }
    }
}
