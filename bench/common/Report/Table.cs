using System.Text;

namespace Slipway.Bench.Report;

/// <summary>The table of docs/performance.md: every row with its bar, met or missed.</summary>
internal static class Table
{
    public static string Make(IReadOnlyList<(Row Row, Figures? Figures)> measured)
    {
        var text = new StringBuilder();
        text.AppendLine("| `run` ROW | work | Slipway | bar | | peer | medians |");
        text.AppendLine("|---|---|---|---|---|---|---|");
        foreach (var (row, figures) in measured)
        {
            var work = row.Reference is { } reference ? $"{row.Work}, of {reference}" : row.Work;
            text.Append($"| `{row.Id}` | {work} | ");
            if (figures is null)
            {
                text.AppendLine($"not measured | {Text.Bar(row.Bar)} | | | |");
                continue;
            }
            var figure = figures.Figure(row.Subject, row.Reference);
            var verdict = row.Bar is null ? "" : row.Bar.IsMet(figure) ? "met" : "**missed**";
            var rival = row.Rival is { } peer ? $"{peer.Name.Split(',')[0]} {Text.Figure(row, figures.Figure(peer.Name, peer.Reference))}" : "";
            var medians = string.Join(", ", figures.Series.Keys.Select(name => $"{name} {Text.Of(figures.Median(name))}"));
            text.AppendLine($"| {Text.Figure(row, figure)} | {Text.Bar(row.Bar)} | {verdict} | {rival} | {medians} {row.Unit} ({figures.Rounds}) |".TrimStart('|', ' '));
        }
        return text.ToString();
    }
}
