using Slipway.Disks;

namespace Slipway.Iscsi.Tests;

/// <summary>A disk in memory whose reads and writes wait, while <see cref="Hold"/> says so, until they are let go.</summary>
internal sealed class GatedDisk(long length) : IBlockDevice
{
    private readonly MemoryDisk _disk = new(length);
    private TaskCompletionSource? _gate;

    public long Length => _disk.Length;

    public bool IsReadOnly => false;

    /// <summary>As a call of the kernel does that has begun.</summary>
    public bool IgnoresCancellation { get; init; }

    /// <summary>How many calls wait, or have waited, at the gate.</summary>
    public int Held { get; private set; }

    public GatedDisk Hold()
    {
        _gate = new TaskCompletionSource();
        return this;
    }

    public void LetGo()
    {
        var gate = _gate!;
        _gate = null;
        gate.SetResult();
    }

    public async ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellation = default)
    {
        await PassAsync(cancellation);
        await _disk.ReadAsync(offset, destination, cancellation);
    }

    public async ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation = default)
    {
        await PassAsync(cancellation);
        await _disk.WriteAsync(offset, source, cancellation);
    }

    public ValueTask FlushAsync(CancellationToken cancellation = default) => _disk.FlushAsync(cancellation);

    public ValueTask DiscardAsync(long offset, long length, CancellationToken cancellation = default) =>
        _disk.DiscardAsync(offset, length, cancellation);

    public ValueTask WriteZeroesAsync(long offset, long length, bool mayDiscard, CancellationToken cancellation = default) =>
        _disk.WriteZeroesAsync(offset, length, mayDiscard, cancellation);

    public ValueTask<Extent> GetExtentAsync(long offset, CancellationToken cancellation = default) =>
        _disk.GetExtentAsync(offset, cancellation);

    public ValueTask DisposeAsync() => _disk.DisposeAsync();

    private async ValueTask PassAsync(CancellationToken cancellation)
    {
        if (_gate is not { } gate)
            return;
        Held++;
        await (IgnoresCancellation ? gate.Task : gate.Task.WaitAsync(cancellation));
    }
}
