using System.Globalization;
using System.Runtime.Versioning;
using Slipway.Fleet.Boots;

namespace Slipway.Demo.View;

/// <summary>What a run came to, for both views: the stages with their times, the console's end, or what went wrong.</summary>
[SupportedOSPlatform("linux")]
internal static class DemoReport
{
    public static void Print(TextWriter output, DemoOptions options, DemoRun run, DemoResult result)
    {
        output.WriteLine();
        if (result.Boot is { Entered.Count: > 0 } boot)
            PrintStages(output, boot);
        PrintBlock(output, "The machine's console ends with", result.LastLines);
        if (result.Record is not null)
            PrintBlock(output, "It wrote to its root, and its volume has it", result.Record.TrimEnd().Split('\n'));
        output.WriteLine($"Logs: {run.ConsoleLog} and {run.ServerLog}");
        output.WriteLine(result.Failure is null ? $"{options.Firmware.Name}: the machine is up" : $"{options.Firmware.Name}: {result.Failure}");
    }

    private static void PrintStages(TextWriter output, Boot boot)
    {
        output.WriteLine("stage        entered       took");
        var entered = boot.Entered.ToList();
        for (var i = 0; i < entered.Count; i++)
        {
            var (stage, time) = entered[i];
            var took = i + 1 < entered.Count ? Seconds(entered[i + 1].Value - time) : "";
            output.WriteLine($"{stage.Name(),-11}{Seconds(time - boot.Started),9}  {took,9}".TrimEnd());
        }
        output.WriteLine();
    }

    private static void PrintBlock(TextWriter output, string title, IEnumerable<string> lines)
    {
        output.WriteLine(title + ":");
        foreach (var line in lines)
            output.WriteLine("  " + line);
        output.WriteLine();
    }

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.00 's'", CultureInfo.InvariantCulture);
}
