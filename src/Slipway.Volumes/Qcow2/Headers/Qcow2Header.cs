using System.Buffers.Binary;
using System.Text;
using Slipway.Disks;
using Slipway.Volumes.Qcow2.Files;
using Slipway.Volumes.Qcow2.Tables;
using Slipway.Volumes.Qcow2.Writing;

namespace Slipway.Volumes.Qcow2.Headers;

/// <summary>Incompatible features: a reader that does not know one must not open the image.</summary>
[Flags]
public enum Qcow2Features : ulong
{
    Dirty = 1,
    Corrupt = 2,
    ExternalData = 4,
    CompressionType = 8,
    ExtendedL2 = 16,
}

/// <summary>
/// The header of a qcow2 image (QEMU's docs/interop/qcow2.txt, "Header"), checked: what the rest relies on holds, and no
/// number in it leads to an unbounded allocation.
/// </summary>
public sealed record Qcow2Header
{
    public const int Magic = 0x514649FB;
    private const int LongestBackingName = 1023;
    internal const long MostTableBytes = 32 << 20;

    public required int Version { get; init; }
    public required int ClusterBits { get; init; }
    public required long Size { get; init; }
    public required long L1Offset { get; init; }
    public required int L1Entries { get; init; }
    public required long RefcountTableOffset { get; init; }
    public required int RefcountTableClusters { get; init; }
    public Qcow2Features Features { get; init; }
    public ulong AutoclearFeatures { get; init; }
    public int RefcountOrder { get; init; } = 4;
    public bool UsesZstd { get; init; }
    public int Length { get; init; }

    /// <summary>Where the extension of <see cref="Qcow2Journal"/> has its data; 0 without one.</summary>
    internal int JournalAt { get; init; }

    public string? BackingFile { get; init; }
    public string? BackingFormat { get; init; }

    public int ClusterSize => 1 << ClusterBits;
    public bool HasExtendedL2 => (Features & Qcow2Features.ExtendedL2) != 0;

    /// <summary>What a bit of an extended L2 entry stands for; a cluster where there are none.</summary>
    public int SubclusterSize => HasExtendedL2 ? ClusterSize / L2Entry.Subclusters : ClusterSize;
    public int L2EntrySize => HasExtendedL2 ? L2Entry.ExtendedBytes : L2Entry.Bytes;
    public int L2Entries => ClusterSize / L2EntrySize;

    /// <summary>Where the subcluster at a place begins.</summary>
    internal long SubclusterStart(long offset) => offset & ~(SubclusterSize - 1L);

    /// <summary>Where the last subcluster of a range ends.</summary>
    internal long SubclusterEnd(long end) => SubclusterStart(end + SubclusterSize - 1);

    /// <summary>The bits in an L2 entry of the subclusters that a range of one cluster consists of.</summary>
    internal uint SubclustersOf(long from, long to)
    {
        // Without extended entries the range is the cluster, and has all bits.
        var size = ClusterSize / L2Entry.Subclusters;
        var first = (int)(from & (ClusterSize - 1)) / size;
        return L2Entry.All >> (int)(L2Entry.Subclusters - (to - from) / size) << first;
    }

    public static async ValueTask<Qcow2Header> ReadAsync(IImageFile file, CancellationToken cancellation)
    {
        var bytes = new byte[65536];
        await file.ReadAsync(0, bytes.AsMemory(0, (int)Math.Min(bytes.Length, file.Length)), cancellation);
        return Parse(bytes, file.Length);
    }

    internal static Qcow2Header Parse(ReadOnlySpan<byte> bytes, long fileLength)
    {
        if (I32(bytes, 0) != Magic) throw new DiskFormatException("this is not a qcow2 image: it does not begin with QFI\\xFB");
        var version = I32(bytes, 4);
        if (version is not (2 or 3)) throw new DiskFormatException($"qcow2: version {version} is not known; 2 and 3 are");
        var clusterBits = I32(bytes, 20);
        if (clusterBits is < 9 or > 21) throw new DiskFormatException($"qcow2: clusters of 2^{clusterBits} bytes; 2^9 to 2^21 are allowed");
        if (I32(bytes, 32) != 0) throw new DiskFormatException("qcow2: the image is encrypted, which is not supported");
        if (I32(bytes, 60) != 0) throw new DiskFormatException($"qcow2: the image has internal snapshots ({(uint)I32(bytes, 60)}), which are not supported: `qemu-img convert -O qcow2` makes a file without them");
        var features = version == 3 ? (Qcow2Features)I64(bytes, 72) : 0;
        const Qcow2Features Known = Qcow2Features.Dirty | Qcow2Features.Corrupt | Qcow2Features.CompressionType | Qcow2Features.ExtendedL2;
        if ((features & Qcow2Features.ExternalData) != 0) throw new DiskFormatException("qcow2: the image keeps its data in another file, which is not supported");
        if ((features & ~Known) != 0) throw new DiskFormatException($"qcow2: the image uses features {(ulong)(features & ~Known):x} that are not known");
        var headerLength = version == 3 ? I32(bytes, 100) : 72;
        if (headerLength < (version == 3 ? 104 : 72) || headerLength > 4096 || headerLength % 8 != 0) throw new DiskFormatException($"qcow2: a header of {headerLength} bytes");
        var compression = headerLength > 104 ? bytes[104] : 0;
        if (compression > 1) throw new DiskFormatException($"qcow2: compression type {compression} is not known; 0 (zlib) and 1 (zstd) are");
        var refcountOrder = version == 3 ? I32(bytes, 96) : 4;
        if (refcountOrder is < 0 or > 6) throw new DiskFormatException($"qcow2: reference counts of 2^{refcountOrder} bits");

        var header = new Qcow2Header
        {
            Version = version,
            ClusterBits = clusterBits,
            Size = I64(bytes, 24),
            L1Entries = I32(bytes, 36),
            L1Offset = I64(bytes, 40),
            RefcountTableOffset = I64(bytes, 48),
            RefcountTableClusters = I32(bytes, 56),
            Features = features,
            AutoclearFeatures = version == 3 ? (ulong)I64(bytes, 88) : 0,
            RefcountOrder = refcountOrder,
            UsesZstd = compression == 1,
            BackingFile = BackingName(bytes, clusterBits),
            Length = headerLength,
            JournalAt = JournalPlace(bytes, headerLength),
        };
        header.Check(fileLength);
        return header with { BackingFormat = new Qcow2Extensions(bytes, headerLength).Text(Qcow2Extensions.BackingFormat) };
    }

    private void Check(long fileLength)
    {
        if (SubclusterSize < 512) throw new DiskFormatException($"qcow2: extended L2 entries with clusters of {ClusterSize} bytes; they need 16384 at least");
        if (Size is < 0 or > 1L << 60) throw new DiskFormatException($"qcow2: a disk of {Size} bytes");
        var covers = (long)L2Entries << ClusterBits;
        if (L1Entries < 0 || L1Entries * 8L > MostTableBytes || L1Entries < (Size + covers - 1) / covers)
            throw new DiskFormatException($"qcow2: an L1 table of {L1Entries} entries does not fit a disk of {Size} bytes");
        if (RefcountTableClusters <= 0 || (long)RefcountTableClusters << ClusterBits > MostTableBytes)
            throw new DiskFormatException($"qcow2: a refcount table of {RefcountTableClusters} clusters");
        Inside("L1 table", L1Offset, L1Entries * 8L, fileLength);
        Inside("refcount table", RefcountTableOffset, (long)RefcountTableClusters << ClusterBits, fileLength);
    }

    private void Inside(string what, long offset, long length, long fileLength)
    {
        if (offset < 0 || offset % ClusterSize != 0 || (length > 0 && offset == 0) || offset > fileLength || offset + length > fileLength + ClusterSize)
            throw new DiskFormatException($"qcow2: the {what} at {offset} is not within the file's {fileLength} bytes");
    }

    private static string? BackingName(ReadOnlySpan<byte> bytes, int clusterBits)
    {
        var offset = I64(bytes, 8);
        if (offset == 0) return null;
        var length = I32(bytes, 16);
        if (length is < 1 or > LongestBackingName || offset < 0 || offset > Math.Min(bytes.Length, 1 << clusterBits) - length)
            throw new DiskFormatException($"qcow2: the backing file's name of {length} bytes at {offset} is not within the first cluster");
        return Encoding.UTF8.GetString(bytes.Slice((int)offset, length));
    }

    // Within the first sector, which changes all at once or not at all.
    private static int JournalPlace(ReadOnlySpan<byte> bytes, int headerLength)
    {
        var place = new Qcow2Extensions(bytes, headerLength).Find(Qcow2Journal.Extension);
        var (at, length) = place.GetOffsetAndLength(bytes.Length);
        return length == Qcow2Journal.ExtensionBytes && at + length <= 512 ? at : 0;
    }

    private static int I32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt32BigEndian(bytes[at..]);

    private static long I64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt64BigEndian(bytes[at..]);
}
