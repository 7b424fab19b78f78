namespace Slipway.Volumes.Qcow2.Tables;

internal enum MappingKind
{
    /// <summary>What is here comes from the backing image, or is zero without one.</summary>
    Unallocated,
    Zero,
    Data,
    Compressed,

    /// <summary>An extended entry that contradicts itself.</summary>
    Invalid,
}

/// <summary>What an L2 entry says of one cluster, or of one subcluster ("L2 table entry").</summary>
/// <param name="HostOffset">Where the data, the preallocated space or the compressed bytes are in the file; 0 for none.</param>
/// <param name="Exclusive">The reference count is exactly one: the cluster may be written in place.</param>
internal readonly record struct Mapping(MappingKind Kind, long HostOffset, bool Exclusive, int CompressedLength = 0)
{
    public const ulong Copied = 1UL << 63;
    public const ulong CompressedFlag = 1UL << 62;
    public const ulong ZeroFlag = 1;
    public const ulong OffsetMask = 0x00FF_FFFF_FFFF_FE00;

    public static Mapping Of(ulong entry, int clusterBits, bool hasZeroFlag)
    {
        if ((entry & CompressedFlag) != 0)
        {
            // Offset in the low bits, then the count of further 512-byte sectors that the bytes may reach into.
            var offsetBits = 62 - (clusterBits - 8);
            var offset = (long)(entry & ((1UL << offsetBits) - 1));
            var sectors = (long)((entry & (CompressedFlag - 1)) >> offsetBits) + 1;
            return new(MappingKind.Compressed, offset, false, (int)(sectors * 512 - (offset & 511)));
        }
        var host = (long)(entry & OffsetMask);
        var exclusive = (entry & Copied) != 0;
        if (hasZeroFlag && (entry & ZeroFlag) != 0) return new(MappingKind.Zero, host, exclusive);
        return host == 0 ? default : new(MappingKind.Data, host, exclusive);
    }
}
