using System.Numerics;
using Slipway.Volumes.Qcow2.Headers;

namespace Slipway.Volumes.Qcow2.Tables;

/// <summary>
/// What an L2 table says of one cluster: where it is in the file, and which of its 32 subclusters are there, or read as
/// zeroes ("Extended L2 Entries"); the others show what is below. Where an image has no extended entries, all 32 are alike.
/// </summary>
internal readonly record struct L2Entry(ulong Descriptor, uint Allocated, uint Zero)
{
    public const int Subclusters = 32;
    public const uint All = uint.MaxValue;

    /// <summary>In a table: one word, or two with subclusters.</summary>
    public const int Bytes = 8, ExtendedBytes = 16;

    public bool IsCompressed => (Descriptor & Mapping.CompressedFlag) != 0;

    /// <summary>It has a cluster of the file for itself: subclusters may be written there.</summary>
    public bool HasCluster => !IsCompressed && HostOffset != 0 && (Descriptor & Mapping.Copied) != 0;

    public long HostOffset => (long)(Descriptor & Mapping.OffsetMask);

    /// <summary>No subcluster is both there and zero, and none is there without a cluster; a compressed cluster has none.</summary>
    private bool IsValid => IsCompressed ? (Allocated | Zero) == 0 : (Allocated & Zero) == 0 && (Allocated == 0 || HostOffset != 0);

    /// <summary>What the cluster is without a look at its subclusters, unless those contradict it.</summary>
    public Mapping Cluster(Qcow2Header header)
    {
        var mapping = Mapping.Of(Descriptor, header.ClusterBits, hasZeroFlag: false);
        return IsValid ? mapping : mapping with { Kind = MappingKind.Invalid };
    }

    public static L2Entry Of(ulong descriptor, ulong bitmap, Qcow2Header header)
    {
        if (header.HasExtendedL2) return new(descriptor, (uint)bitmap, (uint)(bitmap >> 32));
        if ((descriptor & Mapping.CompressedFlag) != 0) return new(descriptor, 0, 0);
        if (header.Version >= 3 && (descriptor & Mapping.ZeroFlag) != 0) return new(descriptor & ~Mapping.ZeroFlag, 0, All);
        return new(descriptor, (descriptor & Mapping.OffsetMask) == 0 ? 0 : All, 0);
    }

    /// <summary>As the table has it.</summary>
    public (ulong Descriptor, ulong Bitmap) ToWords(Qcow2Header header) => header.HasExtendedL2
        ? (Descriptor, Allocated | (ulong)Zero << 32)
        : (Zero == 0 ? Descriptor : Descriptor | Mapping.ZeroFlag, 0);

    /// <summary>What a subcluster is, and how many from there on are the same.</summary>
    public (MappingKind Kind, int Run) At(int subcluster)
    {
        var (allocated, zero) = (Allocated >> subcluster, Zero >> subcluster);
        if ((allocated & 1) != 0) return (MappingKind.Data, BitOperations.TrailingZeroCount(~allocated));
        if ((zero & 1) != 0) return (MappingKind.Zero, BitOperations.TrailingZeroCount(~zero));
        return (MappingKind.Unallocated, Math.Min(BitOperations.TrailingZeroCount(allocated | zero), Subclusters - subcluster));
    }

    public L2Entry WithData(uint subclusters) => this with { Allocated = Allocated | subclusters, Zero = Zero & ~subclusters };

    /// <summary>Without its cluster where nothing is there any more.</summary>
    public L2Entry WithZeroes(uint subclusters)
    {
        var (allocated, zero) = (Allocated & ~subclusters, Zero | subclusters);
        return new(allocated == 0 ? 0 : Descriptor, allocated, zero);
    }
}
