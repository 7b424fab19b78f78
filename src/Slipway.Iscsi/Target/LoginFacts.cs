using System.Net;

namespace Slipway.Iscsi.Target;

/// <summary>What a login says about itself. Nothing in it but <see cref="ProvedName"/> is proved.</summary>
/// <param name="TargetName">Null in a discovery session.</param>
/// <param name="Isid">48 bits (RFC 7143 §11.12.5).</param>
public sealed record LoginFacts(
    IPEndPoint Remote,
    IPEndPoint Portal,
    string InitiatorName,
    string? TargetName,
    SessionType SessionType,
    ulong Isid)
{
    public string? InitiatorAlias { get; init; }

    /// <summary>The tag of the portal's group.</summary>
    public ushort PortalGroup { get; init; } = 1;

    /// <summary>The name (CHAP_N) whose secret the initiator has; null until CHAP is through, and without CHAP.</summary>
    public string? ProvedName { get; init; }

    /// <summary>
    /// iPXE makes its ISIDs in the enterprise-number format (RFC 7143 §11.12.5, T = 01b) under Fen Systems' number.
    /// </summary>
    public bool IsIpxe => (Isid >> 46 & 3) == 1 && (Isid >> 16 & 0xFF_FFFF) == 10019;
}

/// <summary>RFC 7143 §13.21.</summary>
public enum SessionType
{
    Normal,
    Discovery,
}
