namespace Slipway.Tftp.Server;

/// <summary>What a client may negotiate.</summary>
public sealed record TftpLimits
{
    /// <summary>RFC 2348. An Ethernet frame less IP, UDP and TFTP headers: larger blocks would be fragmented.</summary>
    public int MaxBlockSize { get; init; } = 1468;

    /// <summary>RFC 7440. More only fills the queues of a slow receiver.</summary>
    public int MaxWindowSize { get; init; } = 64;

    /// <summary>Where the client sets none (RFC 2349). Doubled on each retry.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often one window is sent before the client counts as gone.</summary>
    public int Attempts { get; init; } = 6;
}
