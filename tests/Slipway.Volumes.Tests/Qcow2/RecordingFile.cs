namespace Slipway.Volumes.Tests.Qcow2;

/// <summary>A file in memory that keeps every write and flush in order, so that the power can be cut after any of them.</summary>
internal sealed class RecordingFile(byte[] initial) : MemoryFile((byte[])initial.Clone())
{
    private const int Sector = 512;
    private readonly List<(long Offset, byte[]? Bytes)> _log = [];
    private readonly Lock _lock = new();

    /// <summary>How many writes and flushes there were.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _log.Count;
        }
    }

    public override ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            _log.Add((offset, source.ToArray()));
            return base.WriteAsync(offset, source, cancellation);
        }
    }

    public override ValueTask FlushAsync(CancellationToken cancellation = default)
    {
        lock (_lock) _log.Add((0, null));
        return base.FlushAsync(cancellation);
    }

    // A hole is a write of zeroes that may not have reached the medium either.
    public override void Discard(long offset, long length)
    {
        length = Math.Min(length, Length - offset);
        if (length <= 0) return;
        lock (_lock)
        {
            _log.Add((offset, new byte[length]));
            base.Discard(offset, length);
        }
    }

    /// <summary>What the host has when the process dies after each step: everything until then. The bytes are good until the next one.</summary>
    public IEnumerable<(int Step, byte[] Content)> Deaths()
    {
        var content = (byte[])initial.Clone();
        byte[] copy = [];
        for (var step = 1; step <= _log.Count; step++)
        {
            if (_log[step - 1].Bytes is not { } bytes) continue;
            Apply(ref content, _log[step - 1].Offset, bytes);
            yield return (step, Copy(content, ref copy));
        }
    }

    /// <summary>
    /// What the medium may hold when the power goes after each step: all that was written before the last flush, and of
    /// the rest any choice of 512-byte sectors. Several choices per step. The bytes are good until the next one.
    /// </summary>
    public IEnumerable<(int Step, byte[] Medium)> PowerCuts(int choices, Random random)
    {
        var flushed = (byte[])initial.Clone();
        byte[] medium = [];
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
            for (var choice = 0; choice < choices; choice++)
            {
                Choose(ref Copy(flushed, ref medium), done, step, random);
                yield return (step, medium);
            }
        }
    }

    // Some cuts keep nearly all of what was not flushed and some nearly nothing. Two writes to one sector keep their
    // order: a host's page cache holds one version of a sector.
    private void Choose(ref byte[] medium, int from, int to, Random random)
    {
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
    }

    // Ten thousand arrays of this size would be the collector's work more than the test's.
    private static ref byte[] Copy(byte[] content, ref byte[] copy)
    {
        if (copy.Length != content.Length) copy = (byte[])content.Clone();
        else content.CopyTo(copy, 0);
        return ref copy;
    }
}
