using Slipway.Disks;

namespace Slipway.Scsi.Tests;

/// <summary>A disk in memory that counts flushes, waits at a gate and fails, as a test tells it.</summary>
internal sealed class ScriptedDisk(long length) : IBlockDevice
{
    private readonly MemoryDisk _disk = new(length);

    public TaskCompletionSource? Gate { get; set; }

    public BlockDeviceError? Fails { get; set; }

    /// <summary>What ends here or before does not fail.</summary>
    public long FailsFrom { get; set; }

    public int Flushes { get; private set; }

    /// <summary>Whether zeroes that were written may take no space; null where none were.</summary>
    public bool? ZeroesMayDiscard { get; private set; }

    /// <summary>The thread of the last write.</summary>
    public int Writer { get; private set; }

    public long Length => _disk.Length;

    public bool IsReadOnly => false;

    public ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellation = default) =>
        AfterGate(() => _disk.ReadAsync(offset, destination, cancellation), cancellation, offset + destination.Length);

    public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation = default)
    {
        Writer = Environment.CurrentManagedThreadId;
        return AfterGate(() => _disk.WriteAsync(offset, source, cancellation), cancellation, offset + source.Length);
    }

    public ValueTask FlushAsync(CancellationToken cancellation = default)
    {
        Flushes++;
        return AfterGate(() => _disk.FlushAsync(cancellation), cancellation);
    }

    public ValueTask DiscardAsync(long offset, long length, CancellationToken cancellation = default) =>
        AfterGate(() => _disk.DiscardAsync(offset, length, cancellation), cancellation);

    public ValueTask WriteZeroesAsync(long offset, long length, bool mayDiscard, CancellationToken cancellation = default)
    {
        ZeroesMayDiscard = mayDiscard;
        return AfterGate(() => _disk.WriteZeroesAsync(offset, length, mayDiscard, cancellation), cancellation);
    }

    public ValueTask<Extent> GetExtentAsync(long offset, CancellationToken cancellation = default) =>
        _disk.GetExtentAsync(offset, cancellation);

    public ValueTask DisposeAsync() => _disk.DisposeAsync();

    private ValueTask AfterGate(Func<ValueTask> action, CancellationToken cancellation, long end = long.MaxValue)
    {
        if (Gate is not null)
            return WaitAsync(action, end, cancellation);
        Check(end);
        return action();
    }

    private async ValueTask WaitAsync(Func<ValueTask> action, long end, CancellationToken cancellation)
    {
        await Gate!.Task.WaitAsync(cancellation);
        Check(end);
        await action();
    }

    private void Check(long end)
    {
        if (Fails is { } error && end > FailsFrom)
            throw new BlockDeviceException(error, "as the test wants");
    }
}
