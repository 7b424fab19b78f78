using Slipway.Volumes.Qcow2.Files;

namespace Slipway.Volumes.Tests.Qcow2;

/// <summary>An image's file in memory. Like a file it bears calls from several threads: the engine's timer writes too.</summary>
internal class MemoryFile(byte[] content) : IImageFile
{
    private readonly Lock _lock = new();
    private byte[] _content = content;

    public MemoryFile() : this([])
    {
    }

    public long Length => _content.Length;

    public bool IsReadOnly { get; init; }

    public Guid Boot { get; init; }

    /// <summary>The file as it is; the next write may change it.</summary>
    public ReadOnlySpan<byte> Content => _content;

    public ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellation = default)
    {
        destination.Span.Clear();
        lock (_lock)
        {
            if (offset < _content.Length) _content.AsSpan((int)offset, (int)Math.Min(destination.Length, _content.Length - offset)).CopyTo(destination.Span);
        }
        return ValueTask.CompletedTask;
    }

    public virtual ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation = default)
    {
        lock (_lock) Apply(ref _content, offset, source.Span);
        return ValueTask.CompletedTask;
    }

    public virtual ValueTask FlushAsync(CancellationToken cancellation = default) => ValueTask.CompletedTask;

    public virtual void Discard(long offset, long length)
    {
        lock (_lock)
        {
            length = Math.Min(length, _content.Length - offset);
            if (length > 0) _content.AsSpan((int)offset, (int)length).Clear();
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    protected static void Apply(ref byte[] content, long offset, ReadOnlySpan<byte> bytes)
    {
        if (offset + bytes.Length > content.Length) Array.Resize(ref content, (int)offset + bytes.Length);
        bytes.CopyTo(content.AsSpan((int)offset));
    }
}
