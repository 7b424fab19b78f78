namespace Slipway.Bench.Iscsi.Report;

/// <summary>The part of docs/performance.md that is this bench's, between two marks; the rest of the page is left alone.</summary>
internal static class PerformancePage
{
    private const string Begin = "<!-- written by bench/iscsi/run -->", End = "<!-- end of what bench/iscsi/run wrote -->", PlotName = "iscsi-performance.svg";

    public static void Write(Bench bench, IReadOnlyList<(Row Row, Figures? Figures)> measured)
    {
        var page = Path.Combine(bench.Docs, "performance.md");
        var text = File.ReadAllText(page);
        var (begin, end) = (text.IndexOf(Begin, StringComparison.Ordinal), text.IndexOf(End, StringComparison.Ordinal));
        if (begin < 0 || end < begin)
            throw new InvalidOperationException($"{page} has no place for the figures: {Begin} … {End}");
        File.WriteAllText(page, $"{text[..(begin + Begin.Length)]}\n{Table.Make(measured)}\n![Ratios of the table as bars]({PlotName})\n{text[end..]}");
        File.WriteAllText(Path.Combine(bench.Docs, PlotName), Plot.Make(measured));
    }
}
