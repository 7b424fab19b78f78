using Slipway.Iscsi.Text;

namespace Slipway.Iscsi.Target;

/// <summary>What a target gives an initiator at most. Every buffer's bound is here.</summary>
public sealed record TargetLimits
{
    public static TargetLimits Default { get; } = new();

    public NegotiationOffer Offer { get; init; } = new();

    /// <summary>From the first byte to the full feature phase.</summary>
    public TimeSpan LoginTime { get; init; } = TimeSpan.FromSeconds(30);

    public int LoginRequests { get; init; } = 32;

    /// <summary>Bytes of one text, over all its continued PDUs.</summary>
    public int TextLength { get; init; } = 32 * 1024;

    /// <summary>Commands that one session may have at a time: the command window (RFC 7143 §4.2.2.1).</summary>
    public int SessionTasks { get; init; } = 128;

    /// <summary>Most data of one command. Larger ones are for the initiator to split: the Block Limits page says so.</summary>
    public int TaskTransfer { get; init; } = 32 << 20;

    /// <summary>Payload that one connection's commands may hold at a time; the others wait their turn.</summary>
    public int ConnectionTransfer { get; init; } = 32 << 20;

    /// <summary>Replies waiting in memory beyond which no more requests are read from a connection.</summary>
    public int SendBacklog { get; init; } = 768 * 1024;

    /// <summary>Free payload buffers that are kept for reuse.</summary>
    public long KeptBuffers { get; init; } = 32 << 20;
}
