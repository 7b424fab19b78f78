using System.Globalization;
using System.Text;

namespace Slipway.Bench.Report;

/// <summary>A plot as SVG: for each row that is a ratio, a bar for Slipway, one for its peer, and a mark where the bar to reach lies.</summary>
internal static class Plot
{
    private const int Left = 430, Scale = 230, LineHeight = 44, Thickness = 13, Top = 50;
    private const double Most = 2;

    public static string Make(string peer, IReadOnlyList<(Row Row, Figures? Figures)> measured)
    {
        var rows = measured.Where(m => m.Row.Reference is not null && m.Figures is not null).ToList();
        var height = Top + rows.Count * LineHeight + 20;
        var width = Left + (int)(Scale * Most) + 60;
        var svg = new StringBuilder();
        svg.AppendLine($"""<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13">""");
        svg.AppendLine($"""<rect width="{width}" height="{height}" fill="white"/>""");
        svg.AppendLine($"""<rect x="{Left}" y="14" width="12" height="12" fill="#2b6cb0"/><text x="{Left + 18}" y="25">Slipway</text><rect x="{Left + 90}" y="14" width="12" height="12" fill="#a0aec0"/><text x="{Left + 108}" y="25">{peer}</text><path d="M{Left + 126 + 10 * peer.Length} 12v16" stroke="#c53030" stroke-width="2"/><text x="{Left + 134 + 10 * peer.Length}" y="25">to reach; 1 is the reference</text>""");
        for (var i = 0; i < rows.Count; i++)
        {
            var (row, figures) = rows[i];
            var y = Top + i * LineHeight;
            svg.AppendLine($"""<text x="{Left - 10}" y="{y + 18}" text-anchor="end">{row.Work.Replace("&", "&amp;", StringComparison.Ordinal)}</text><text x="{Left - 10}" y="{y + 33}" text-anchor="end" font-size="10" fill="#718096">1 = {row.Reference}</text>""");
            Bar(svg, y + 4, figures!.Figure(row.Subject, row.Reference), "#2b6cb0");
            if (row.Rival is { } rival)
                Bar(svg, y + 5 + Thickness, figures.Figure(rival.Name, rival.Reference), "#a0aec0");
            if (row.Bar is { } bar)
                svg.AppendLine($"""<path d="M{At(bar.Value)} {y}v{2 * Thickness + 9}" stroke="#c53030" stroke-width="2"/>""");
        }
        svg.AppendLine("</svg>");
        return svg.ToString();
    }

    private static void Bar(StringBuilder svg, int y, double value, string colour) => svg.AppendLine(
        $"""<rect x="{Left}" y="{y}" width="{At(value) - Left}" height="{Thickness}" fill="{colour}"/><text x="{At(value) + 6}" y="{y + Thickness - 2}" font-size="11">{value.ToString("0.00", CultureInfo.InvariantCulture)}</text>""");

    private static int At(double value) => Left + (int)(Math.Min(value, Most) * Scale);
}
