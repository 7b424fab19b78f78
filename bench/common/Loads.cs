using System.Globalization;
using System.Text.RegularExpressions;
using Slipway.Bench.Peers;

namespace Slipway.Bench;

/// <summary>The clients. Each makes one figure.</summary>
internal sealed partial class Loads(Bench bench, int seconds)
{
    /// <summary>Commands per second by libiscsi's <c>iscsi-perf</c>.</summary>
    public double Perf(Address target, Placement placement, params IEnumerable<string> options)
    {
        var output = Tool.RunOn(placement.Client, "iscsi-perf", [.. options, "-t", $"{seconds}", target.Url]);
        return Number(Average().Matches(output).Last().Groups[1].Value);
    }

    /// <summary>Writes of 4 KiB per second, 32 at a time, by <c>qemu-img bench</c>.</summary>
    /// <param name="url">Any that QEMU opens.</param>
    /// <param name="step">How far each write begins behind the one before, in bytes.</param>
    public static double QemuWrite(string url, Placement placement, int count, int step = 4096)
    {
        var output = Tool.RunOn(placement.Client, "qemu-img", "bench", "-f", "raw", "-t", "none", "-w", "-c", $"{count}", "-d", "32", "-s", "4096", "-S", $"{step}", url);
        return count / Number(Completed().Match(output).Groups[1].Value);
    }

    /// <summary>Commands per second by <c>reads</c>.</summary>
    public double Reads(Address target, Placement placement, int sessions, int depth, int blocks, bool random, bool digests)
    {
        string[] how = [$"{sessions}", $"{depth}", $"{blocks}", random ? "random" : "sequential", digests ? "digests" : "none", $"{seconds}"];
        return Number(Tool.RunOn(placement.Client, bench.Program("reads"), [.. how, .. target.Arguments]));
    }

    /// <summary>p99.9 of 4 KiB reads over their median, under mixed load.</summary>
    public double Tail(Address target, Placement placement)
    {
        // Commands per second, median, p99 and p99.9 in microseconds.
        var parts = Tool.RunOn(placement.Client, bench.Program("load"), "mixed", $"{seconds}", target.Url).Split(' ');
        return Number(parts[3]) / Number(parts[1]);
    }

    public static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"iops average (\d+)")]
    private static partial Regex Average();

    [GeneratedRegex(@"Run completed in ([0-9.]+)")]
    private static partial Regex Completed();
}
