using System.ComponentModel;
using System.Diagnostics;

namespace Slipway.Demo.Machine;

/// <summary>A running virtual machine. It ends when this object does.</summary>
internal sealed class QemuMachine : IAsyncDisposable
{
    // What U-Boot says last where it gives up: in place of a reset (its lib/hang.c).
    private const string GaveUp = "Please RESET the board";

    private readonly Process _process;
    private readonly Task _reading;

    private QemuMachine(Process process, SerialConsole console)
    {
        _process = process;
        Console = console;
        console.Line += EndIfGivenUp;
        _reading = Task.WhenAll(
            console.ReadAsync(process.StandardOutput.BaseStream),
            console.ReadAsync(process.StandardError.BaseStream, "qemu: "));
        Ended = WaitAsync();
    }

    public SerialConsole Console { get; }

    /// <summary>Completes when the machine is off; its result is QEMU's exit status.</summary>
    public Task<int> Ended { get; }

    public static QemuMachine Start(QemuCommand command, string consoleLog)
    {
        var start = new ProcessStartInfo(command.Program, command.Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var console = new SerialConsole(consoleLog);
        try
        {
            return new(Process.Start(start)!, console);
        }
        catch (Win32Exception e)
        {
            console.Dispose();
            throw new DemoException($"{command.Program} cannot be started: {e.Message}", e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await Ended;
        _process.Dispose();
        Console.Dispose();
    }

    private void EndIfGivenUp(string line)
    {
        if (line.Contains(GaveUp, StringComparison.Ordinal))
            _process.Kill();
    }

    private async Task<int> WaitAsync()
    {
        await _process.WaitForExitAsync();
        // What it said last is still in the pipe.
        await _reading;
        return _process.ExitCode;
    }
}
