using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Slipway.Tests.Targets;

/// <summary><c>slipway target</c> as its user runs it, on a port that was free, until the test ends.</summary>
internal sealed partial class ServedTarget : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly List<string> _lines = [], _printed = [];
    private readonly Task _errors;
    private readonly Task _output;

    private ServedTarget(Process process)
    {
        _process = process;
        _output = KeepAsync(process.StandardOutput, _printed);
        _errors = KeepAsync(process.StandardError, []);
    }

    /// <summary>The first disk's, as the command printed it: iscsi://ADDRESS:PORT/NAME/LUN.</summary>
    public Uri Url { get; private set; } = null!;

    public string Portal => Url.Authority;

    public string Name => Url.AbsolutePath.Split('/')[1];

    /// <summary>All that it has printed.</summary>
    public string Log
    {
        get
        {
            lock (_lines)
                return string.Join('\n', _lines);
        }
    }

    /// <summary>What of it went to the standard output, as a program reads it.</summary>
    public IReadOnlyList<string> Printed
    {
        get
        {
            lock (_lines)
                return [.. _printed];
        }
    }

    public static Task<ServedTarget> StartAsync(string file, params string[] options) => StartWithAsync([], file, options);

    /// <param name="by">The program, with its arguments, that runs it under other conditions.</param>
    public static async Task<ServedTarget> StartWithAsync(string[] by, string file, params string[] options)
    {
        string[] command = [.. by, Path.Combine(AppContext.BaseDirectory, "slipway"), "target", file, "--portal", "127.0.0.1:0", .. options];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        var served = new ServedTarget(Process.Start(start)!);
        served.Url = new Uri(UrlPattern().Match(await served.PrintsAsync("iscsi://")).Value);
        return served;
    }

    /// <summary>The first line with this in it, as soon as it is there.</summary>
    public async Task<string> PrintsAsync(string text)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            Task more;
            lock (_lines)
            {
                if (_lines.Find(l => l.Contains(text, StringComparison.Ordinal)) is { } line)
                    return line;
                more = (_more ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }
            try
            {
                await more.WaitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"no \"{text}\" in:\n{Log}");
            }
        }
    }

    /// <summary>A libiscsi tool against the whole URL; secrets go in by the environment.</summary>
    public Task<(int Status, string Output)> TryAsync(string tool, string[]? environment = null, string query = "") =>
        Tool.TryRunAsync("env", [.. environment ?? [], tool, Url + query]);

    public async Task<string> RunAsync(string tool, string[]? environment = null, string query = "")
    {
        var (status, output) = await TryAsync(tool, environment, query);
        Assert.True(status == 0, $"{tool} ended with {status}: {output}\n{Log}");
        return output;
    }

    /// <summary>Ends it as a service manager would (a shell has its background jobs ignore SIGINT), and returns its exit status.</summary>
    public async Task<int> InterruptAsync()
    {
        await Tool.RunAsync("kill", "-TERM", _process.Id.ToString(CultureInfo.InvariantCulture));
        await _process.WaitForExitAsync().WaitAsync(Patience);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        await Task.WhenAll(_output, _errors);
        _process.Dispose();
    }

    [GeneratedRegex("iscsi://[^\"\\s]+")]
    private static partial Regex UrlPattern();

    private TaskCompletionSource? _more;

    private async Task KeepAsync(StreamReader reader, List<string> own)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            TaskCompletionSource? more;
            lock (_lines)
            {
                _lines.Add(line);
                own.Add(line);
                (more, _more) = (_more, null);
            }
            more?.SetResult();
        }
    }
}
