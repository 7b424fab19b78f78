using System.Buffers.Binary;
using Slipway.Disks;
using Slipway.Volumes.Qcow2.Files;

namespace Slipway.Volumes.Formats;

/// <summary>What the metadata region says ([MS-VHDX] §2.6), checked.</summary>
internal sealed record VhdxMetadata(long Length, int BlockSize, int SectorSize)
{
    private const int Required = 4;

    public static async ValueTask<VhdxMetadata> ReadAsync(IImageFile file, (long Offset, long Length) region, CancellationToken cancellation)
    {
        if (region.Offset < 0 || region.Length < VhdxFormat.TableSize || region.Offset > file.Length - region.Length)
            throw new DiskFormatException($"vhdx: the metadata region, {region.Length} bytes at {region.Offset}, is outside of the file");
        var table = new byte[VhdxFormat.TableSize];
        await file.ReadAsync(region.Offset, table, cancellation);
        if (!table.AsSpan().StartsWith("metadata"u8)) throw new DiskFormatException("vhdx: the metadata table has another signature");
        var count = BinaryPrimitives.ReadUInt16LittleEndian(table.AsSpan(10));
        if (count > 2047) throw new DiskFormatException($"vhdx: a metadata table of {count} entries");
        var items = new Dictionary<Guid, byte[]>();
        for (var i = 0; i < count; i++)
        {
            var entry = table.AsMemory(32 + i * 32, 32);
            var id = new Guid(entry.Span[..16]);
            var (at, length) = (BinaryPrimitives.ReadUInt32LittleEndian(entry.Span[16..]), BinaryPrimitives.ReadUInt32LittleEndian(entry.Span[20..]));
            if (id == VhdxFormat.ParentLocator) throw IsDifferencing();
            if (!IsKnown(id))
            {
                if ((entry.Span[24] & Required) != 0) throw new DiskFormatException($"vhdx: the image needs the metadata item {id}, which is not known");
                continue;
            }
            if (length is < 4 or > 64 || at + length > region.Length) throw new DiskFormatException($"vhdx: the metadata item {id} has {length} bytes at {at}");
            var value = new byte[length];
            await file.ReadAsync(region.Offset + at, value, cancellation);
            items[id] = value;
        }
        return Check(items);
    }

    private static bool IsKnown(Guid id) => id == VhdxFormat.FileParameters || id == VhdxFormat.DiskSize || id == VhdxFormat.DiskId
        || id == VhdxFormat.LogicalSectorSize || id == VhdxFormat.PhysicalSectorSize;

    private static DiskFormatException IsDifferencing() =>
        new("vhdx: a differencing disk, which stands on another: make it whole first, with Hyper-V's Merge-VHD or Convert-VHD");

    private static VhdxMetadata Check(Dictionary<Guid, byte[]> items)
    {
        var parameters = Item(VhdxFormat.FileParameters, 8);
        var blockSize = BinaryPrimitives.ReadInt32LittleEndian(parameters);
        if (blockSize is < 1 << 20 or > 1 << 28 || !int.IsPow2(blockSize)) throw new DiskFormatException($"vhdx: blocks of {blockSize} bytes");
        if ((parameters[4] & 2) != 0) throw IsDifferencing();
        var sectorSize = BinaryPrimitives.ReadInt32LittleEndian(Item(VhdxFormat.LogicalSectorSize, 4));
        if (sectorSize is not (512 or 4096)) throw new DiskFormatException($"vhdx: sectors of {sectorSize} bytes");
        var length = BinaryPrimitives.ReadInt64LittleEndian(Item(VhdxFormat.DiskSize, 8));
        if (length is <= 0 or > 64L << 40 || length % sectorSize != 0) throw new DiskFormatException($"vhdx: a disk of {length} bytes");
        return new(length, blockSize, sectorSize);

        byte[] Item(Guid id, int least) => items.TryGetValue(id, out var value) && value.Length >= least
            ? value
            : throw new DiskFormatException($"vhdx: the metadata item {id} is missing");
    }
}
