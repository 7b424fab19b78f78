using Slipway.Server.Tests;
using Slipway.Server.Tests.Net;

namespace Slipway.EndToEnd;

/// <summary>One run of <c>slipway demo</c>, as its user runs it.</summary>
internal sealed record Demo(int Status, string Output)
{
    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "slipway");

    // The first run fetches packages. A boot under emulation takes half a minute on a machine that does nothing else.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    /// <summary>Where <c>--prepare</c> put a part: the disk, the folder of iPXE, of U-Boot.</summary>
    public string Part(string name) =>
        Output.Split('\n').Single(line => line.StartsWith(name + ": ", StringComparison.Ordinal))[(name.Length + 2)..];

    /// <summary>The parts of a machine, and a disk that it can boot from.</summary>
    public static async Task<Demo> PrepareAsync(TemporaryFolder folder, string firmware)
    {
        var parts = await RunAsync(folder, firmware, "--prepare");
        Assert.True(parts.Status == 0, parts.Output);
        return parts;
    }

    public static async Task<Demo> RunAsync(TemporaryFolder folder, string firmware, params string[] options)
    {
        using var run = new BackgroundTool(Program, ["demo", "--headless", "--firmware", firmware, "--folder", folder.Path, .. options]);
        var status = await run.EndAsync(Patience);
        var output = string.Join('\n', run.Lines);
        TestContext.Current.SendDiagnosticMessage("{0}", output);
        if (output.Contains("It is started again", StringComparison.Ordinal))
            TestContext.Current.AddWarning($"the machine fell before its system ran:\n{output}");
        return new Demo(status, output);
    }
}
