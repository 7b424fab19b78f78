using System.Globalization;
using System.Threading.Channels;
using Slipway.Disks.Mapping;

namespace Slipway.Volumes.Layers;

/// <summary>
/// Writes a trace to a file, a line for each call: time, operation, offset, length, microseconds it took, how it ended,
/// and what lies there, with tabs between. A file that falls behind loses lines, and says how many; the disk never waits.
/// </summary>
public sealed class TraceFile : IAsyncDisposable
{
    private const int MostWaiting = 65_536;
    private readonly Channel<TraceEntry> _entries = Channel.CreateBounded<TraceEntry>(new BoundedChannelOptions(MostWaiting) { SingleReader = true });
    private readonly Task _writing;
    private long _lost;

    /// <param name="path">Appended to.</param>
    public TraceFile(string path)
    {
        var writer = new StreamWriter(path, append: true);
        _writing = WriteAsync(writer);
    }

    public void Add(TraceEntry entry)
    {
        if (!_entries.Writer.TryWrite(entry)) Interlocked.Increment(ref _lost);
    }

    public async ValueTask DisposeAsync()
    {
        _entries.Writer.TryComplete();
        await _writing;
    }

    private async Task WriteAsync(StreamWriter writer)
    {
        await using (writer)
        {
            while (await _entries.Reader.WaitToReadAsync())
            {
                while (_entries.Reader.TryRead(out var entry)) await writer.WriteLineAsync(Line(entry));
                if (Interlocked.Exchange(ref _lost, 0) is > 0 and var lost) await writer.WriteLineAsync($"# {lost} calls were not written down: the file fell behind");
                await writer.FlushAsync();
            }
        }
    }

    private static string Line(TraceEntry e) => string.Create(CultureInfo.InvariantCulture,
        $"{e.Time:O}\t{e.Operation}\t{e.Offset}\t{e.Length}\t{e.Took.TotalMicroseconds:0}\t{e.Error?.ToString() ?? "ok"}\t{Place(e.Place)}");

    private static string Place(DiskPlace? place) => place?.ToString() ?? "";
}
