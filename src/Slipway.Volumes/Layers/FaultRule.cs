using Slipway.Disks;

namespace Slipway.Volumes.Layers;

public enum FaultKind
{
    /// <summary>The call takes longer.</summary>
    Delay,

    /// <summary>The call is refused, and nothing happens.</summary>
    Error,

    /// <summary>A write stores its first half, in whole sectors, and is refused.</summary>
    TornWrite,

    /// <summary>A write is acknowledged and not stored.</summary>
    DroppedWrite,
}

[Flags]
public enum FaultOperations
{
    Read = 1,
    Write = 2,
    Flush = 4,
    Discard = 8,
    All = Read | Write | Flush | Discard,
}

/// <summary>When something goes wrong, and what.</summary>
public sealed record FaultRule(FaultKind Kind, FaultOperations On = FaultOperations.All)
{
    /// <summary>Only calls that touch this range, in bytes; flushes touch every range.</summary>
    public long Offset { get; init; }

    public long Length { get; init; } = long.MaxValue;

    /// <summary>So many matching calls are spared first.</summary>
    public int After { get; init; }

    /// <summary>Then so many meet the fault; the rest are spared again.</summary>
    public int Times { get; init; } = int.MaxValue;

    /// <summary>Of those, this share at random.</summary>
    public double Probability { get; init; } = 1;

    public TimeSpan Delay { get; init; }

    public BlockDeviceError Error { get; init; } = BlockDeviceError.Io;
}
