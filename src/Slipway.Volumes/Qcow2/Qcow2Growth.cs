using System.Buffers.Binary;
using Slipway.Disks;
using Slipway.Volumes.Qcow2.Checking;
using Slipway.Volumes.Qcow2.Files;
using Slipway.Volumes.Qcow2.Headers;
using Slipway.Volumes.Qcow2.Refcounts;
using Slipway.Volumes.Qcow2.Tables;

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
        var marks = new Qcow2Marks(file, header);
        header = await Qcow2Recovery.RunAsync(file, header, marks, cancellation);
        var covers = (long)header.L2Entries << header.ClusterBits;
        var entries = (size + covers - 1) / covers;
        if (entries * 8 > Qcow2Header.MostTableBytes) throw new DiskFormatException($"qcow2: a disk of {size} bytes needs larger clusters than the image's {header.ClusterSize} bytes");
        var old = (Offset: header.L1Offset, Bytes: header.L1Entries * 8L);
        var refcounts = new Qcow2Refcounts(file, header, await Qcow2Tables.ReadAsync(file, header, marks, cancellation), marks);
        var moved = Clusters(entries * 8, header) > Clusters(old.Bytes, header);
        var offset = old.Offset;
        if (moved)
        {
            var table = new byte[Clusters(entries * 8, header) * header.ClusterSize];
            await file.ReadAsync(old.Offset, table.AsMemory(0, (int)old.Bytes), cancellation);
            offset = await refcounts.AllocateManyAsync(Clusters(entries * 8, header), cancellation);
            await file.WriteAsync(offset, table, cancellation);
        }
        // "size", "crypt_method" (none), "l1_size", "l1_table_offset".
        var fields = new byte[24];
        BinaryPrimitives.WriteInt64BigEndian(fields, size);
        BinaryPrimitives.WriteInt32BigEndian(fields.AsSpan(12), (int)Math.Max(entries, header.L1Entries));
        BinaryPrimitives.WriteInt64BigEndian(fields.AsSpan(16), offset);
        await file.FlushAsync(cancellation);
        await file.WriteAsync(24, fields, cancellation);
        await file.FlushAsync(cancellation);
        if (!moved) return;
        for (var cluster = 0L; cluster < Clusters(old.Bytes, header); cluster++)
            await refcounts.ReleaseAsync(old.Offset + cluster * header.ClusterSize, 1, cancellation);
        refcounts.DiscardFreed();
        await file.FlushAsync(cancellation);
        await marks.ClearDirtyAsync(cancellation);
    }

    private static long Clusters(long bytes, Qcow2Header header) => Math.Max(1, (bytes + header.ClusterSize - 1) / header.ClusterSize);
}
