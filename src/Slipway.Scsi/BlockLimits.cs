namespace Slipway.Scsi;

/// <summary>
/// What the Block Limits page (SBC-3 §6.6.3) promises, in blocks. They bound the memory and the time of one command;
/// a client that wants more sends more commands.
/// </summary>
internal sealed record BlockLimits
{
    /// <summary>MAXIMUM ATOMIC TRANSFER LENGTH (SBC-4 §6.6.4).</summary>
    public const int AtomicTransfer = 256;

    /// <summary>MAXIMUM UNMAP LBA COUNT: descriptors alone bound what one UNMAP takes.</summary>
    public const uint Unmap = uint.MaxValue;

    /// <summary>Descriptors in one UNMAP.</summary>
    public const int UnmapDescriptors = 256;

    private BlockLimits()
    {
    }

    public required uint CompareAndWrite { get; init; }

    /// <summary>What transfers and unmaps do best to be a multiple of.</summary>
    public required uint Granularity { get; init; }

    public required uint Transfer { get; init; }

    public required uint WriteSame { get; init; }

    public static BlockLimits For(int blockSize) => new()
    {
        CompareAndWrite = 255,

        // A page of the host's cache; images and the file systems below them give back no less.
        Granularity = (uint)Math.Max(1, 4096 / blockSize),
        Transfer = (uint)((32 << 20) / blockSize),
        WriteSame = (uint)((1 << 30) / blockSize),
    };
}
