namespace Slipway.Iscsi.Text;

/// <summary>How the result of a key comes from the two sides' values (RFC 7143 §6.2).</summary>
internal enum KeyRule
{
    /// <summary>The first value of the sender's list that the answerer takes too.</summary>
    List,
    Minimum,
    Maximum,

    /// <summary>Yes only where both say Yes.</summary>
    And,

    /// <summary>Yes where either says Yes.</summary>
    Or,

    /// <summary>Each side says its own; no answer.</summary>
    Declared,

    /// <summary>The target's to declare: one that an initiator sends is refused.</summary>
    TargetsOwn,

    /// <summary>Obsolete, and answered with a constant (§13.25).</summary>
    Constant,
}

/// <summary>Where a key may come (the "Use" line of each key in RFC 7143 §13).</summary>
[Flags]
internal enum KeyUse
{
    Security = 1,
    Operational = 2,
    FullFeature = 4,
    Login = Security | Operational,
    Everywhere = Login | FullFeature,
}

/// <summary>One key of the negotiation table.</summary>
/// <param name="Ours">This side's value.</param>
/// <param name="Store">Keeps the result.</param>
internal sealed record KeyRow(
    string Key,
    KeyRule Rule,
    KeyUse Use,
    Func<NegotiationOffer, string> Ours,
    Action<OperationalParameters, string> Store,
    uint Low = 0,
    uint High = 0)
{
    /// <summary>Not negotiated where the session is for discovery only (§13: "Irrelevant when SessionType=Discovery").</summary>
    public bool NormalOnly { get; init; }

    /// <summary>Agreed on by the first connection, for the session (§13: "LO"); what a later one says of it changes nothing.</summary>
    public bool LeadingOnly { get; init; }
}
