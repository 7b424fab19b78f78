namespace Slipway.Iscsi.Text;

/// <summary>What one side would like best, and what it takes at most.</summary>
public sealed record NegotiationOffer
{
    public bool AllowDigests { get; init; } = true;

    public int MaxConnections { get; init; } = 8;

    public bool InitialR2T { get; init; }

    public bool ImmediateData { get; init; } = true;

    public int MaxRecvDataSegmentLength { get; init; } = 262144;

    public int MaxBurstLength { get; init; } = 1 << 20;

    public int FirstBurstLength { get; init; } = 262144;

    /// <summary>Nothing is kept of a session whose connection is gone, so there is nothing to wait for.</summary>
    public int DefaultTime2Wait { get; init; }

    public int DefaultTime2Retain { get; init; }

    public int MaxOutstandingR2T { get; init; } = 4;

    public int ErrorRecoveryLevel { get; init; }
}
