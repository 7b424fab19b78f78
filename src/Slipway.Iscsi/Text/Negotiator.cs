using System.Globalization;

namespace Slipway.Iscsi.Text;

/// <summary>
/// The answering side of a negotiation (RFC 7143 §6.2): each key of the other side gets its answer from the table, and
/// the result goes into the parameters.
/// </summary>
internal sealed class Negotiator(NegotiationOffer offer, OperationalParameters parameters)
{
    private readonly HashSet<string> _seen = [];

    /// <summary>The session is for discovery only.</summary>
    public bool Discovery { get; init; }

    /// <summary>The connection is for a session that is there already.</summary>
    public bool Joining { get; init; }

    /// <summary>A sentence where the exchange breaks the protocol; null otherwise.</summary>
    public string? Answer(TextKeys request, TextKeys answer, KeyUse where)
    {
        foreach (var (key, value) in request.Pairs)
        {
            if (!_seen.Add(key) && where != KeyUse.FullFeature)
                return $"the key {key} was negotiated twice";
            if (NegotiationTable.Find(key) is not { } row)
                answer.Add(key, TextValues.NotUnderstood);
            else if ((row.Use & where) == 0)
                return $"the key {key} does not belong in this stage";
            // What the target says of itself in this text, it does not say twice.
            else if (Decide(row, value) is { } decision && answer[key] is null)
                answer.Add(key, decision);
        }
        // §13.14: the first burst is part of a burst, whichever of them was agreed on first.
        if (parameters.FirstBurstLength > parameters.MaxBurstLength)
        {
            parameters.FirstBurstLength = parameters.MaxBurstLength;
            if (answer[Keys.FirstBurstLength] is not (null or TextValues.Reject))
            {
                answer.Take(Keys.FirstBurstLength);
                answer.Add(Keys.FirstBurstLength, TextValues.Number((uint)parameters.FirstBurstLength));
            }
        }
        return null;
    }

    private string? Decide(KeyRow row, string value)
    {
        if (value is TextValues.Reject or TextValues.NotUnderstood or TextValues.Irrelevant)
            return null;
        if ((row.NormalOnly && Discovery) || (row.LeadingOnly && Joining))
            return TextValues.Irrelevant;
        var ours = row.Ours(offer);
        switch (row.Rule)
        {
            case KeyRule.Constant:
                return ours;
            case KeyRule.TargetsOwn:
                return TextValues.Reject;
            case KeyRule.Declared when row.High == 0:
                return null;
            case KeyRule.Declared:
                // §13.12: a size that is no size is refused, and the default stays.
                return TryNumber(row, value, out var declared) ? Store(row, TextValues.Number(declared), answer: false) : TextValues.Reject;
            case KeyRule.List:
                return FirstCommon(value, ours) is { } chosen ? Store(row, chosen) : TextValues.Reject;
            case KeyRule.And or KeyRule.Or:
                if (!TextValues.TryParseBoolean(value, out var theirs))
                    return TextValues.Reject;
                var mine = ours == TextValues.Yes;
                return Store(row, TextValues.Boolean(row.Rule == KeyRule.And ? theirs && mine : theirs || mine));
            default:
                if (!TryNumber(row, value, out var offered))
                    return TextValues.Reject;
                var wished = uint.Parse(ours, CultureInfo.InvariantCulture);
                return Store(row, TextValues.Number(row.Rule == KeyRule.Minimum ? Math.Min(offered, wished) : Math.Max(offered, wished)));
        }
    }

    private string? Store(KeyRow row, string value, bool answer = true)
    {
        row.Store(parameters, value);
        return answer ? value : null;
    }

    private static bool TryNumber(KeyRow row, string value, out uint number)
    {
        number = 0;
        // §6.1: no value is longer than 255 bytes, where nothing else is said of it.
        return value.Length <= TextValues.MaxLength && TextValues.TryParseNumber(value, out number) && number >= row.Low && number <= row.High;
    }

    private static string? FirstCommon(string offered, string taken)
    {
        var ours = taken.Split(',');
        foreach (var value in offered.Split(','))
        {
            if (ours.Contains(value))
                return value;
        }
        return null;
    }
}
