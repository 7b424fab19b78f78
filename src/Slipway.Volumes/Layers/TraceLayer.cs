using Slipway.Disks;
using Slipway.Disks.Mapping;

namespace Slipway.Volumes.Layers;

public enum TraceOperation
{
    Read,
    Write,
    Flush,
    Discard,
    WriteZeroes,
}

/// <summary>One call that reached a disk, how it ended, and what lies there where a map was given.</summary>
public sealed record TraceEntry(DateTimeOffset Time, TraceOperation Operation, long Offset, long Length, TimeSpan Took, DiskPlace? Place, BlockDeviceError? Error);

/// <summary>Tells what is read and written, when, and in which file. The call that is told of has ended.</summary>
/// <param name="map">Names the place of each call; it reads the disk below this layer, so it is not traced itself.</param>
public sealed class TraceLayer(IBlockDevice below, Action<TraceEntry> observer, TimeProvider time, DiskMap? map = null) : LayerDevice(below)
{
    public override ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellation = default) =>
        TellAsync(TraceOperation.Read, offset, destination.Length, () => Below.ReadAsync(offset, destination, cancellation), cancellation);

    public override ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation = default) =>
        TellAsync(TraceOperation.Write, offset, source.Length, () => Below.WriteAsync(offset, source, cancellation), cancellation);

    public override ValueTask FlushAsync(CancellationToken cancellation = default) =>
        TellAsync(TraceOperation.Flush, 0, 0, () => Below.FlushAsync(cancellation), cancellation);

    public override ValueTask DiscardAsync(long offset, long length, CancellationToken cancellation = default) =>
        TellAsync(TraceOperation.Discard, offset, length, () => Below.DiscardAsync(offset, length, cancellation), cancellation);

    public override ValueTask WriteZeroesAsync(long offset, long length, bool mayDiscard, CancellationToken cancellation = default) =>
        TellAsync(TraceOperation.WriteZeroes, offset, length, () => Below.WriteZeroesAsync(offset, length, mayDiscard, cancellation), cancellation);

    private async ValueTask TellAsync(TraceOperation operation, long offset, long length, Func<ValueTask> call, CancellationToken cancellation)
    {
        var start = time.GetTimestamp();
        BlockDeviceError? error = null;
        try
        {
            await call();
        }
        catch (BlockDeviceException e)
        {
            error = e.Error;
            throw;
        }
        finally
        {
            var took = time.GetElapsedTime(start);
            var place = map is null || operation == TraceOperation.Flush || error is not null ? null : await map.LocateAsync(offset, cancellation);
            observer(new(time.GetUtcNow(), operation, offset, length, took, place, error));
        }
    }
}
