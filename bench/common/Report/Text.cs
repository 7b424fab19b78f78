using System.Globalization;

namespace Slipway.Bench.Report;

/// <summary>Numbers as they are printed.</summary>
internal static class Text
{
    public static string Of(double value) => value.ToString(
        Math.Abs(value) switch { >= 100 => "#,0", >= 10 => "0.0", _ => "0.##" }, CultureInfo.InvariantCulture);

    public static string Figure(Row row, double figure) =>
        row.Reference is null ? $"{Of(figure)}{(row.Unit == "×" ? "×" : $" {row.Unit}")}" : figure.ToString("0.00", CultureInfo.InvariantCulture);

    public static string Bar(Bar? bar) => bar is null ? "–" : $"{(bar.AtMost ? "≤" : "≥")} {Of(bar.Value)}";
}
