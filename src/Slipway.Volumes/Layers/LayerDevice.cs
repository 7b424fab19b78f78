using Slipway.Disks;

namespace Slipway.Volumes.Layers;

/// <summary>A disk that passes every call on to the one below: what a layer does not change, it inherits.</summary>
public abstract class LayerDevice(IBlockDevice below) : IBlockDevice
{
    public long Length => Below.Length;

    public virtual bool IsReadOnly => Below.IsReadOnly;

    protected IBlockDevice Below { get; } = below;

    public virtual ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellation = default) =>
        Below.ReadAsync(offset, destination, cancellation);

    public virtual ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation = default) =>
        Below.WriteAsync(offset, source, cancellation);

    public virtual ValueTask FlushAsync(CancellationToken cancellation = default) => Below.FlushAsync(cancellation);

    public virtual ValueTask DiscardAsync(long offset, long length, CancellationToken cancellation = default) =>
        Below.DiscardAsync(offset, length, cancellation);

    public virtual ValueTask WriteZeroesAsync(long offset, long length, bool mayDiscard, CancellationToken cancellation = default) =>
        Below.WriteZeroesAsync(offset, length, mayDiscard, cancellation);

    public virtual ValueTask<Extent> GetExtentAsync(long offset, CancellationToken cancellation = default) =>
        Below.GetExtentAsync(offset, cancellation);

    public async ValueTask DisposeAsync()
    {
        await DisposeLayerAsync();
        await Below.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected virtual ValueTask DisposeLayerAsync() => ValueTask.CompletedTask;
}
