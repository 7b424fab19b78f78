using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Slipway.Demo.Machine;

/// <summary>A machine's serial port as lines: onto the end of a log, with times, and to whoever waits for something in them.</summary>
internal sealed partial class SerialConsole(string logFile) : IDisposable
{
    private const int Kept = 200, LongestLine = 1000;

    private readonly Lock _gate = new();
    private readonly Queue<string> _last = new();
    private readonly StreamWriter _log = new(logFile, append: true) { AutoFlush = true };
    private readonly long _start = Stopwatch.GetTimestamp();

    /// <summary>Called for each line, on the thread that reads.</summary>
    public event Action<string>? Line;

    public IReadOnlyList<string> LastLines(int count)
    {
        lock (_gate) return [.. _last.TakeLast(count)];
    }

    /// <summary>Reads until the other side ends.</summary>
    public async Task ReadAsync(Stream port, string prefix = "")
    {
        var decoder = Encoding.UTF8.GetDecoder();
        var bytes = new byte[4096];
        var text = new char[4096];
        var line = new StringBuilder();
        int count;
        while ((count = await port.ReadAsync(bytes)) > 0)
        {
            foreach (var c in text.AsSpan(0, decoder.GetChars(bytes.AsSpan(0, count), text, flush: false)))
            {
                if (c != '\n' && line.Length < LongestLine) line.Append(c);
                else Finish(line, prefix);
            }
        }
        Finish(line, prefix);
    }

    public void Dispose() => _log.Dispose();

    private void Finish(StringBuilder raw, string prefix)
    {
        // Firmware positions its cursor, colours its text and overwrites its lines.
        var line = ControlSequence().Replace(raw.ToString(), "").TrimEnd();
        raw.Clear();
        if (line.Length == 0) return;
        line = prefix + line;
        lock (_gate)
        {
            _last.Enqueue(line);
            if (_last.Count > Kept) _last.Dequeue();
            _log.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Stopwatch.GetElapsedTime(_start).TotalSeconds,7:F2} {line}"));
        }
        Line?.Invoke(line);
    }

    [GeneratedRegex(@"\x1b\[[0-9;?=]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b.|[\x00-\x08\x0b-\x1f\x7f]")]
    private static partial Regex ControlSequence();
}
