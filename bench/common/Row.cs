namespace Slipway.Bench;

/// <summary>One contender's part of a row: a name, and how one figure of it is made.</summary>
internal sealed record Series(string Name, Func<double> Measure);

/// <summary>What a row's figure must reach.</summary>
internal sealed record Bar(double Value, bool AtMost = false)
{
    public bool IsMet(double figure) => AtMost ? figure <= Value : figure >= Value;
}

/// <summary>
/// A line of the table: series that are measured by turns, and how <paramref name="Subject"/> is judged: against
/// <paramref name="Reference"/> as a ratio, or by itself where there is none.
/// </summary>
/// <param name="Rival">The peer's series, and what it is divided by.</param>
internal sealed record Row(
    string Id, string Work, string Unit, string Subject, string? Reference, Bar? Bar, (string Name, string? Reference)? Rival,
    Func<Bench, Round> Begin);

/// <summary>A row's contenders, running.</summary>
internal sealed class Round(IReadOnlyList<Series> series, params IReadOnlyList<IDisposable> running) : IDisposable
{
    public IReadOnlyList<Series> Series { get; } = series;

    public void Dispose()
    {
        foreach (var peer in running)
            peer.Dispose();
    }
}
