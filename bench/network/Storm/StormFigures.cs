using System.Text.Json;

namespace Slipway.Bench.Network.Storm;

/// <summary>What the machines of one storm saw, in milliseconds, and what went wrong.</summary>
internal sealed record StormFigures(double[] Dhcp, double[] Script, double[] Login, double[] Boot, string[] Failures)
{
    public static StormFigures Parse(string json) => JsonSerializer.Deserialize<StormFigures>(json)!;

    public static double Percentile(double[] values, double part)
    {
        var sorted = values.Order().ToArray();
        return sorted[Math.Min(sorted.Length - 1, (int)Math.Ceiling(sorted.Length * part) - 1)];
    }
}
