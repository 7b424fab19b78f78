using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Slipway.Server.Tests.Net;

internal sealed record ToolResult(int ExitCode, string Output, string Errors)
{
    public string All => Output + Errors;
}

/// <summary>Other people's programs. A missing one fails the test with its name.</summary>
internal static class Tool
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    public static ToolResult Run(string program, params string[] arguments)
    {
        var result = Try(program, arguments);
        return result.ExitCode == 0 ? result : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {result.ExitCode}: {result.All}");
    }

    public static ToolResult Try(string program, params string[] arguments)
    {
        using var process = Start(program, arguments);
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Patience))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} did not end in {Patience}: {output.Result}{errors.Result}");
        }
        return new ToolResult(process.ExitCode, output.Result, errors.Result);
    }

    internal static Process Start(string program, string[] arguments)
    {
        var info = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        try
        {
            return Process.Start(info)!;
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException($"{program} is needed by this test and cannot be started: {e.Message}", e);
        }
    }
}

/// <summary>A program that runs until the test ends.</summary>
internal sealed class BackgroundTool : IDisposable
{
    private readonly Process _process;
    private readonly List<string> _lines = [];
    private int _openStreams = 2;

    public BackgroundTool(string program, params string[] arguments)
    {
        _process = Tool.Start(program, arguments);
        _process.OutputDataReceived += (_, e) => Keep(e.Data);
        _process.ErrorDataReceived += (_, e) => Keep(e.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines)
                return [.. _lines];
        }
    }

    /// <summary>Waits until the program has printed a line with this in it, or as many lines as are asked for.</summary>
    public void WaitFor(string text, TimeSpan? patience = null, int times = 1)
    {
        var deadline = DateTime.UtcNow + (patience ?? TimeSpan.FromSeconds(30));
        lock (_lines)
        {
            while (_lines.Count(l => l.Contains(text, StringComparison.Ordinal)) < times)
            {
                if (_openStreams == 0 || !Monitor.Wait(_lines, deadline - DateTime.UtcNow is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero))
                    throw new TimeoutException($"no '{text}' in: {string.Join('\n', _lines)}");
            }
        }
    }

    /// <summary>Its exit status, when it has ended and all that it printed is in <see cref="Lines"/>.</summary>
    public async Task<int> EndAsync(TimeSpan patience)
    {
        using var timer = new CancellationTokenSource(patience);
        try
        {
            await _process.WaitForExitAsync(timer.Token);
            return _process.ExitCode;
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"it did not end in {patience}: {string.Join('\n', Lines)}");
        }
    }

    public void Type(string line) => _process.StandardInput.WriteLine(line);

    public void Signal(string name) => Tool.Run("kill", "-" + name, _process.Id.ToString(CultureInfo.InvariantCulture));

    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
    }

    private void Keep(string? line)
    {
        lock (_lines)
        {
            // A program may close one of its streams and go on; it has ended when both are closed.
            if (line is null)
                _openStreams--;
            else
                _lines.Add(line);
            Monitor.PulseAll(_lines);
        }
    }
}
