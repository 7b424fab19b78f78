using System.Buffers.Binary;
using Slipway.Disks;

namespace Slipway.Volumes.Qcow2;

/// <summary>Makes an image's disk larger. What is new reads as zeroes.</summary>
internal static class Qcow2Growth
{
    /// <summary>
    /// A larger L1 table is written to clusters of its own first; then size, place and length of the table change in the
    /// header's first sector, all at once.
    /// </summary>
    public static async ValueTask GrowAsync(IImageFile file, long size, CancellationToken cancellation)
    {
        var header = await Qcow2Header.ReadAsync(file, cancellation);
        Qcow2Device.RequireWritable(header);
        var covers = (long)header.L2Entries << header.ClusterBits;
        var entries = (size + covers - 1) / covers;
        if (entries * 8 > Qcow2Header.MostTableBytes) throw new DiskFormatException($"qcow2: a disk of {size} bytes needs larger clusters than the image's {header.ClusterSize} bytes");
        var sector = new byte[512];
        await file.ReadAsync(0, sector, cancellation);
        var old = (Offset: header.L1Offset, Bytes: header.L1Entries * 8L);
        var refcounts = new Qcow2Refcounts(file, header);
        var moved = Clusters(entries * 8, header) > Clusters(old.Bytes, header);
        if (moved)
        {
            var table = new byte[Clusters(entries * 8, header) * header.ClusterSize];
            await file.ReadAsync(old.Offset, table.AsMemory(0, (int)old.Bytes), cancellation);
            var offset = await refcounts.AllocateManyAsync(Clusters(entries * 8, header), cancellation);
            await file.WriteAsync(offset, table, cancellation);
            BinaryPrimitives.WriteInt64BigEndian(sector.AsSpan(40), offset);
        }
        BinaryPrimitives.WriteInt64BigEndian(sector.AsSpan(24), size);
        BinaryPrimitives.WriteInt32BigEndian(sector.AsSpan(36), (int)Math.Max(entries, header.L1Entries));
        await file.FlushAsync(cancellation);
        await file.WriteAsync(0, sector, cancellation);
        await file.FlushAsync(cancellation);
        if (!moved) return;
        for (var cluster = 0L; cluster < Clusters(old.Bytes, header); cluster++)
            await refcounts.ReleaseAsync(old.Offset + cluster * header.ClusterSize, 1, cancellation);
        refcounts.DiscardFreed();
    }

    private static long Clusters(long bytes, Qcow2Header header) => Math.Max(1, (bytes + header.ClusterSize - 1) / header.ClusterSize);
}
