using System.Net;
using Slipway.Iscsi.Chap;
using Slipway.Iscsi.Pdu;
using Slipway.Scsi;

namespace Slipway.Iscsi.Target;

/// <summary>A directory's answer to a login.</summary>
public sealed class Admission
{
    private Admission(LoginStatus status, string reason, RefusalKind kind)
    {
        Status = status;
        Reason = reason;
        Kind = kind;
    }

    public ScsiTargetDevice? Device { get; private init; }

    /// <summary>What the initiator must prove: one of these, as the name that it says (CHAP_N) has it. Empty: AuthMethod None.</summary>
    public IReadOnlyList<ChapPolicy> Chap { get; private init; } = [];

    /// <summary>An initiator that does not offer CHAP is let in without it.</summary>
    public bool IsChapOptional { get; private init; }

    /// <summary>Where the target is now; null unless the initiator is sent away (RFC 7143 §11.13.5, class 1).</summary>
    public IPEndPoint? Elsewhere { get; private init; }

    public LoginStatus Status { get; }

    public string Reason { get; }

    public RefusalKind Kind { get; }

    public bool IsGranted => Status == LoginStatus.Success;

    /// <param name="device">Null in a discovery session, and only there.</param>
    /// <param name="chap">Null: AuthMethod None.</param>
    public static Admission Grant(ScsiTargetDevice? device, ChapPolicy? chap) =>
        new(LoginStatus.Success, "", RefusalKind.Other) { Device = device, Chap = chap is null ? [] : [chap] };

    /// <summary>Admits to a discovery session who proves one of several; <see cref="LoginFacts.ProvedName"/> then says which.</summary>
    /// <param name="chap">One at least; names that differ.</param>
    /// <param name="isChapOptional">Who does not offer CHAP is let in as nobody in particular.</param>
    public static Admission GrantDiscovery(IReadOnlyList<ChapPolicy> chap, bool isChapOptional = false)
    {
        ArgumentOutOfRangeException.ThrowIfZero(chap.Count);
        return new(LoginStatus.Success, "", RefusalKind.Other) { Chap = chap, IsChapOptional = isChapOptional };
    }

    /// <summary>Sends the initiator to another portal, which it is told by TargetAddress.</summary>
    /// <param name="portal">An address that initiators reach, with its port.</param>
    /// <param name="permanently">It may remember it; otherwise it comes back here for its next login.</param>
    public static Admission Redirect(IPEndPoint portal, bool permanently) =>
        new(permanently ? LoginStatus.TargetMovedPermanently : LoginStatus.TargetMovedTemporarily, $"sent to {portal}", RefusalKind.Redirected) { Elsewhere = portal };

    /// <param name="status">What the initiator is told.</param>
    /// <param name="reason">For the log and the timeline; the initiator does not get it.</param>
    /// <param name="kind">Null: what the status says.</param>
    public static Admission Refuse(LoginStatus status, string reason, RefusalKind? kind = null)
    {
        if (status == LoginStatus.Success)
            throw new ArgumentException("a refusal needs a status other than success", nameof(status));
        return new(status, reason, kind ?? status switch
        {
            LoginStatus.NotFound or LoginStatus.TargetRemoved => RefusalKind.UnknownTarget,
            LoginStatus.AuthorizationFailure => RefusalKind.UnknownInitiator,
            _ => RefusalKind.Other,
        });
    }
}
