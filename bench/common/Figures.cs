using System.Text.Json;

namespace Slipway.Bench;

/// <summary>What was measured for a row: each series' figures in the order of their rounds.</summary>
internal sealed record Figures(Dictionary<string, double[]> Series)
{
    public int Rounds => Series.Values.Max(v => v.Length);

    public double Median(string series) => Median(Series[series]);

    /// <summary>The median over the rounds; against a reference, the one median divided by the other.</summary>
    public double Figure(string series, string? reference) => reference is null ? Median(series) : Median(series) / Median(reference);

    public static Figures? Load(Bench bench, string row) =>
        File.Exists(bench.FigureFile(row)) ? new(JsonSerializer.Deserialize<Dictionary<string, double[]>>(File.ReadAllText(bench.FigureFile(row)))!) : null;

    public void Save(Bench bench, string row) => File.WriteAllText(bench.FigureFile(row), JsonSerializer.Serialize(Series));

    private static double Median(double[] values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
