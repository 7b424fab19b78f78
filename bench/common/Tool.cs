using System.Diagnostics;

namespace Slipway.Bench;

/// <summary>Programs that run to their end.</summary>
internal static class Tool
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>What a program printed, errors after the rest. Throws where it fails or does not end.</summary>
    public static string Run(string program, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(Patience))
        {
            process.Kill(entireProcessTree: true);
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: no end after {Patience.TotalSeconds:0} s");
        }
        var text = output.Result + errors.Result;
        return process.ExitCode == 0 ? text : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {text.Trim()}");
    }

    /// <summary>How long a program takes, from its start to its end.</summary>
    public static double Milliseconds(string program, params IEnumerable<string> arguments)
    {
        var watch = Stopwatch.StartNew();
        Run(program, arguments);
        return watch.Elapsed.TotalMilliseconds;
    }

    /// <summary>A program on the processors of a list like "0" or "0-1".</summary>
    public static string RunOn(string processors, string program, params IEnumerable<string> arguments) =>
        Run("taskset", ["-c", processors, program, .. arguments]);

    public static void Pin(int process, string processors) => Run("taskset", "-acp", processors, process.ToString());
}
