namespace Slipway.Bench.Report;

/// <summary>The part of docs/performance.md that is this bench's, between two marks; the rest of the page is left alone.</summary>
internal static class PerformancePage
{
    /// <param name="peer">Whom the plot's second bars are of.</param>
    public static void Write(Bench bench, string peer, IReadOnlyList<(Row Row, Figures? Figures)> measured)
    {
        var (first, last, plot) = ($"<!-- written by bench/{bench.Name}/run -->", $"<!-- end of what bench/{bench.Name}/run wrote -->", $"{bench.Name}-performance.svg");
        var page = Path.Combine(bench.Docs, "performance.md");
        var text = File.ReadAllText(page);
        var (begin, end) = (text.IndexOf(first, StringComparison.Ordinal), text.IndexOf(last, StringComparison.Ordinal));
        if (begin < 0 || end < begin)
            throw new InvalidOperationException($"{page} has no place for the figures: {first} … {last}");
        File.WriteAllText(page, $"{text[..(begin + first.Length)]}\n{Table.Make(measured)}\n![Ratios of the table as bars]({plot})\n{text[end..]}");
        File.WriteAllText(Path.Combine(bench.Docs, plot), Plot.Make(peer, measured));
    }
}
