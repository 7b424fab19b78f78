namespace Slipway.Iscsi.Chap;

/// <summary>What a login must prove.</summary>
public sealed record ChapPolicy
{
    /// <param name="initiator">Whom the initiator must prove to be.</param>
    /// <param name="target">Where not null, the target proves itself by it, and a login that does not ask it to is refused.</param>
    public ChapPolicy(ChapAccount initiator, ChapAccount? target)
    {
        ArgumentNullException.ThrowIfNull(initiator);
        // RFC 7143 §12.1.4: with one secret for both directions a response could be had from the peer itself.
        if (target is not null && target.Secret == initiator.Secret)
            throw new ArgumentException("the two directions of CHAP need two secrets", nameof(target));
        Initiator = initiator;
        Target = target;
    }

    public ChapAccount Initiator { get; }

    public ChapAccount? Target { get; }
}
