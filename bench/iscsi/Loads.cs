using System.Globalization;
using System.Text.RegularExpressions;
using Slipway.Bench.Iscsi.Peers;

namespace Slipway.Bench.Iscsi;

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
    public static double QemuWrite(Address target, Placement placement, int count)
    {
        var output = Tool.RunOn(placement.Client, "qemu-img", "bench", "-f", "raw", "-t", "none", "-w", "-c", $"{count}", "-d", "32", "-s", "4096", target.Url);
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
