using Slipway.Disks;
using Slipway.Volumes.Layers;

namespace Slipway.Server.Tests.Iscsi;

/// <summary>A medium that answers from another thread, as a cold page does.</summary>
internal sealed class ColdLayer(IBlockDevice below) : LayerDevice(below)
{
    public override async ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellation = default)
    {
        await Task.Yield();
        await Below.ReadAsync(offset, destination, cancellation);
    }

    public override async ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation = default)
    {
        await Task.Yield();
        await Below.WriteAsync(offset, source, cancellation);
    }
}

/// <summary>Notes what the calling thread, which is the connection's loop, has allocated up to each call.</summary>
internal sealed class AllocationLayer(IBlockDevice below) : LayerDevice(below)
{
    /// <summary>Bytes at the first and the last call since it was cleared.</summary>
    public (long First, long Last) Seen { get; private set; }

    public int Thread { get; private set; }

    public void Clear() => Seen = default;

    public override ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellation = default)
    {
        Note();
        return Below.ReadAsync(offset, destination, cancellation);
    }

    public override ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation = default)
    {
        Note();
        return Below.WriteAsync(offset, source, cancellation);
    }

    private void Note()
    {
        Thread = Environment.CurrentManagedThreadId;
        var now = GC.GetAllocatedBytesForCurrentThread();
        Seen = (Seen.First == 0 ? now : Seen.First, now);
    }
}

/// <summary>A disk with a bug: one place of it throws what no disk may.</summary>
internal sealed class BuggyLayer(IBlockDevice below) : LayerDevice(below)
{
    public override ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellation = default) =>
        offset == 0 ? throw new InvalidOperationException("a bug") : Below.ReadAsync(offset, destination, cancellation);
}
