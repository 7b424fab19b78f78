using Slipway.Volumes.Qcow2;

namespace Slipway.Volumes.Tests.Qcow2;

/// <summary>A file in memory that keeps every write and flush in order, so that the power can be cut after any of them.</summary>
internal sealed class RecordingFile(byte[] initial) : IImageFile
{
    private const int Sector = 512;
    private readonly List<(long Offset, byte[]? Bytes)> _log = [];
    private readonly byte[] _initial = initial;
    private byte[] _content = (byte[])initial.Clone();

    public RecordingFile() : this([])
    {
    }

    public long Length => _content.Length;

    public bool IsReadOnly { get; init; }

    /// <summary>How many writes and flushes there were.</summary>
    public int Count => _log.Count;

    public ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellation = default)
    {
        destination.Span.Clear();
        if (offset < _content.Length) _content.AsSpan((int)offset, (int)Math.Min(destination.Length, _content.Length - offset)).CopyTo(destination.Span);
        return ValueTask.CompletedTask;
    }

    public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation = default)
    {
        _log.Add((offset, source.ToArray()));
        Apply(ref _content, offset, source.Span);
        return ValueTask.CompletedTask;
    }

    public ValueTask FlushAsync(CancellationToken cancellation = default)
    {
        _log.Add((0, null));
        return ValueTask.CompletedTask;
    }

    // A hole is a write of zeroes that may not have reached the medium either.
    public void Discard(long offset, long length)
    {
        length = Math.Min(length, _content.Length - offset);
        if (length <= 0) return;
        _log.Add((offset, new byte[length]));
        _content.AsSpan((int)offset, (int)length).Clear();
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>
    /// What the medium may hold when the power goes after each step: all that was written before the last flush, and of
    /// the rest any choice of 512-byte sectors. Several choices per step.
    /// </summary>
    public IEnumerable<(int Step, byte[] Medium)> PowerCuts(int choices, Random random)
    {
        var flushed = (byte[])_initial.Clone();
        var done = 0;
        for (var step = 0; step <= _log.Count; step++)
        {
            if (step > 0 && _log[step - 1].Bytes is null)
            {
                for (; done < step; done++)
                {
                    if (_log[done].Bytes is { } bytes) Apply(ref flushed, _log[done].Offset, bytes);
                }
            }
            for (var choice = 0; choice < choices; choice++) yield return (step, Choose(flushed, done, step, random));
        }
    }

    /// <summary>The file as it is.</summary>
    public byte[] ToArray() => (byte[])_content.Clone();

    // Some cuts keep nearly all of what was not flushed and some nearly nothing. Two writes to one sector keep their
    // order: a host's page cache holds one version of a sector.
    private byte[] Choose(byte[] flushed, int from, int to, Random random)
    {
        var medium = (byte[])flushed.Clone();
        var kept = random.NextDouble();
        for (var i = from; i < to; i++)
        {
            var (offset, bytes) = _log[i];
            for (var at = 0; at < bytes!.Length;)
            {
                var run = (int)Math.Min(Sector - (offset + at) % Sector, bytes.Length - at);
                if (random.NextDouble() < kept) Apply(ref medium, offset + at, bytes.AsSpan(at, run));
                at += run;
            }
        }
        return medium;
    }

    private static void Apply(ref byte[] content, long offset, ReadOnlySpan<byte> bytes)
    {
        if (offset + bytes.Length > content.Length) Array.Resize(ref content, (int)offset + bytes.Length);
        bytes.CopyTo(content.AsSpan((int)offset));
    }
}
