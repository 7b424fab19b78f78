using System.ComponentModel;
using System.Diagnostics;

namespace Slipway.Host;

/// <summary>Runs one of the host's programs to its end.</summary>
internal static class HostProgram
{
    private const int KeptErrorLines = 12;

    /// <summary>Runs a program that must succeed.</summary>
    /// <param name="onLine">Sees each line of its output.</param>
    /// <exception cref="HostProgramException">It is missing, or it ended with an error; its last words are in the message.</exception>
    public static async Task RunAsync(string program, IEnumerable<string> arguments, CancellationToken cancellation,
        Action<string>? onLine = null, string? directory = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        var all = arguments.ToList();
        var (status, lastLines) = await TryAsync(program, all, cancellation, onLine, directory, environment);
        if (status != 0)
            throw new HostProgramException($"`{program} {string.Join(' ', all)}` ended with status {status}:\n{string.Join('\n', lastLines)}");
    }

    /// <summary>What a program that must succeed printed to its standard output.</summary>
    public static async Task<List<string>> ReadAsync(string program, IEnumerable<string> arguments, CancellationToken cancellation,
        IReadOnlyDictionary<string, string>? environment = null)
    {
        var lines = new List<string>();
        await RunAsync(program, arguments, cancellation, lines.Add, environment: environment);
        return lines;
    }

    public static async Task<(int Status, IReadOnlyCollection<string> LastLines)> TryAsync(string program, IEnumerable<string> arguments,
        CancellationToken cancellation, Action<string>? onLine = null, string? directory = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = directory ?? "",
        };
        // Programs answer in the operator's language otherwise, and their output is read here.
        start.Environment["LC_ALL"] = "C.UTF-8";
        // Debian keeps depmod and mke2fs where an ordinary user's PATH does not look.
        start.Environment["PATH"] = $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin";
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;

        using var process = Start(start);
        process.StandardInput.Close();
        var last = new Queue<string>();
        try
        {
            await Task.WhenAll(
                EachLineAsync(process.StandardOutput, last, onLine, cancellation),
                EachLineAsync(process.StandardError, last, null, cancellation));
            await process.WaitForExitAsync(cancellation);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
        lock (last)
            return (process.ExitCode, last.ToList());
    }

    private static Process Start(ProcessStartInfo start)
    {
        var found = Find(start.FileName) ?? throw new HostProgramException($"{start.FileName} is missing on this machine");
        start.FileName = found;
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new HostProgramException($"{found} cannot be started: {e.Message}", e);
        }
    }

    private static string? Find(string program) => program.Contains('/', StringComparison.Ordinal)
        ? program
        : $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin".Split(':').Select(d => Path.Combine(d, program)).FirstOrDefault(File.Exists);

    private static async Task EachLineAsync(StreamReader reader, Queue<string> last, Action<string>? onLine, CancellationToken cancellation)
    {
        while (await reader.ReadLineAsync(cancellation) is { } line)
        {
            lock (last)
            {
                last.Enqueue(line);
                if (last.Count > KeptErrorLines) last.Dequeue();
            }
            onLine?.Invoke(line);
        }
    }
}
