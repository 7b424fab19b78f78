using Slipway.Iscsi.Chap;
using Slipway.Iscsi.Pdu;

namespace Slipway.Iscsi.Target;

public abstract record TargetEvent(LoginFacts Facts, DateTimeOffset Time);

/// <summary>A login came through to the full feature phase.</summary>
public sealed record LoggedIn(LoginFacts Facts, DateTimeOffset Time, SessionFacts Session) : TargetEvent(Facts, Time);

/// <summary>A login was refused, or ended by the initiator before it was through.</summary>
public sealed record Refused(LoginFacts Facts, DateTimeOffset Time, LoginStatus Status, RefusalKind Kind, string Reason) : TargetEvent(Facts, Time);

/// <summary>A session that was in the full feature phase ended.</summary>
/// <param name="BytesRead">Data-In payload sent.</param>
/// <param name="BytesWritten">Data-Out payload taken.</param>
public sealed record Closed(LoginFacts Facts, DateTimeOffset Time, string Reason, long BytesRead, long BytesWritten) : TargetEvent(Facts, Time);

/// <summary>Another connection came into a session.</summary>
/// <param name="Facts">What this connection's login said.</param>
public sealed record ConnectionAdded(LoginFacts Facts, DateTimeOffset Time, ushort Cid, SessionFacts Session) : TargetEvent(Facts, Time);

/// <summary>A connection ended whose session goes on with others.</summary>
public sealed record ConnectionClosed(LoginFacts Facts, DateTimeOffset Time, ushort Cid, string Reason) : TargetEvent(Facts, Time);

/// <param name="Algorithm">Null: the initiator had to prove nothing.</param>
/// <param name="Mutual">The target proved itself too.</param>
public sealed record SessionFacts(
    ChapAlgorithm? Algorithm,
    bool Mutual,
    bool HeaderDigest,
    bool DataDigest,
    int InitiatorMaxRecvDataSegmentLength,
    int MaxBurstLength,
    int FirstBurstLength,
    bool InitialR2T,
    bool ImmediateData);

public enum RefusalKind
{
    UnknownTarget,
    UnknownInitiator,

    /// <summary>The initiator wanted to log in without CHAP, or without the target's proof, where it is demanded.</summary>
    ChapRequired,
    WrongName,
    WrongSecret,

    /// <summary>The initiator hung up after the target's proof: it does not know the reverse secret, or another one.</summary>
    ReverseRefused,

    /// <summary>The initiator ended the connection, or let the login's time run out.</summary>
    Abandoned,
    Protocol,

    /// <summary>No refusal in truth: the initiator was sent to another portal.</summary>
    Redirected,
    Other,
}
