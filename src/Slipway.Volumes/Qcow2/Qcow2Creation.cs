using System.Buffers.Binary;
using System.Text;
using Slipway.Disks;
using Slipway.Volumes.Qcow2.Files;
using Slipway.Volumes.Qcow2.Headers;
using Slipway.Volumes.Qcow2.Tables;
using Slipway.Volumes.Qcow2.Writing;

namespace Slipway.Volumes.Qcow2;

/// <summary>
/// Writes a fresh image, version 3: header, refcount table, one refcount block, L1 table. An overlay over another image
/// is the same with a name in the header, whatever the size: that is why a clone takes milliseconds.
/// </summary>
public static class Qcow2Creation
{
    private const int ClusterBits = 16;
    private const int ClusterSize = 1 << ClusterBits;

    /// <param name="backingFile">Relative to the image's own folder, as QEMU resolves it.</param>
    public static async ValueTask WriteAsync(
        IImageFile file, long size, string? backingFile = null, string backingFormat = "qcow2", CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        if (size % 512 != 0) throw new ArgumentOutOfRangeException(nameof(size), size, "a disk's size is a multiple of 512");
        var isOverlay = backingFile is not null;
        var covers = (long)(ClusterSize / (isOverlay ? L2Entry.ExtendedBytes : L2Entry.Bytes)) << ClusterBits;
        var l1Entries = (size + covers - 1) / covers;
        var l1Clusters = (l1Entries * 8 + ClusterSize - 1) / ClusterSize;
        // QEMU opens no larger table, and neither do we.
        if (l1Entries * 8 > Qcow2Header.MostTableBytes) throw new DiskFormatException($"qcow2: a disk of {size} bytes is too large: {(Qcow2Header.MostTableBytes / 8 * covers) >> 40} TiB are the most");
        // Clusters: header, refcount table, refcount block, then the L1 table. One block counts 32,768 clusters.
        var used = 3 + l1Clusters;

        var header = new byte[ClusterSize];
        Put32(header, 0, Qcow2Header.Magic);
        Put32(header, 4, 3);
        Put32(header, 20, ClusterBits);
        Put64(header, 24, size);
        Put32(header, 36, (int)l1Entries);
        Put64(header, 40, 3 * ClusterSize);
        Put64(header, 48, ClusterSize);
        Put32(header, 56, 1);
        if (isOverlay) Put64(header, 72, (long)Qcow2Features.ExtendedL2);
        Put32(header, 96, 4);
        Put32(header, 100, 112);
        var extensions = Qcow2Extensions.Put(header, 112, Qcow2Journal.Extension, new byte[Qcow2Journal.ExtensionBytes]);
        if (backingFile is not null) PutBacking(header, extensions, backingFile, backingFormat);

        var table = new byte[ClusterSize];
        Put64(table, 0, 2 * ClusterSize);
        var counts = new byte[ClusterSize];
        for (var i = 0; i < used; i++) BinaryPrimitives.WriteUInt16BigEndian(counts.AsSpan(i * 2), 1);

        // The header comes last: a file cut short before it is no image, rather than a damaged one.
        await file.WriteAsync(ClusterSize, table, cancellation);
        await file.WriteAsync(2 * ClusterSize, counts, cancellation);
        await file.WriteAsync((used - 1) * ClusterSize, new byte[ClusterSize], cancellation);
        await file.WriteAsync(0, header, cancellation);
    }

    private static void PutBacking(byte[] header, int at, string name, string format)
    {
        // Then the mark of the extensions' end, eight zero bytes, and the name.
        at = Qcow2Extensions.Put(header, at, Qcow2Extensions.BackingFormat, Encoding.UTF8.GetBytes(format)) + 8;
        var nameBytes = Encoding.UTF8.GetBytes(name);
        if (nameBytes.Length is 0 or > 1023) throw new ArgumentException("the backing file's name is longer than 1023 bytes, or empty", nameof(name));
        Put64(header, 8, at);
        Put32(header, 16, nameBytes.Length);
        nameBytes.CopyTo(header, at);
    }

    private static void Put32(byte[] bytes, int at, int value) => BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(at), value);

    private static void Put64(byte[] bytes, int at, long value) => BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(at), value);
}
