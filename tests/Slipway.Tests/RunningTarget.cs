using System.Diagnostics;

namespace Slipway.Tests;

/// <summary><c>slipway target</c> on a port of its own, until it is disposed of, which is as sudden as <c>kill -9</c>.</summary>
internal sealed class RunningTarget : IDisposable
{
    private readonly Process _process;

    private RunningTarget(Process process, string address) => (_process, Address) = (process, address);

    public static string Program => Path.Combine(AppContext.BaseDirectory, "slipway");

    public string Address { get; }

    public int Id => _process.Id;

    public static Task<RunningTarget> StartAsync(params string[] arguments) =>
        StartAsync(new ProcessStartInfo(Program, ["target", "--portal", "127.0.0.1:0", .. arguments]));

    public static async Task<RunningTarget> StartAsync(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        var process = Process.Start(start)!;
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (!line.StartsWith("iscsi://", StringComparison.Ordinal)) continue;
            _ = process.StandardOutput.ReadToEndAsync();
            _ = process.StandardError.ReadToEndAsync();
            return new(process, line);
        }
        throw new InvalidOperationException($"slipway target ended: {await process.StandardError.ReadToEndAsync()}");
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
