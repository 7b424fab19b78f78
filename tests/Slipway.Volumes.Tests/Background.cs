using System.Diagnostics;

namespace Slipway.Volumes.Tests;

/// <summary>A program that runs beside a test, until it is disposed of.</summary>
internal sealed class Background : IDisposable
{
    private readonly Process _process;

    private Background(Process process) => _process = process;

    public int Id => _process.Id;

    /// <summary>Returns when the program is ready; one that ends before fails the test.</summary>
    public static async Task<Background> StartAsync(string program, string[] arguments, Func<bool> isReady)
    {
        var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var started = new Background(process);
        while (!isReady())
        {
            Assert.False(process.HasExited, $"{program} ended");
            await Task.Delay(5);
        }
        return started;
    }

    /// <summary>SIGKILL: what it did not store is gone.</summary>
    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
