using Slipway.Disks;
using Slipway.Volumes.Layers;

namespace Slipway.Server.Disks;

/// <summary>Tells where a disk is read and written, before it is. Adds no allocation and no wait to the data path.</summary>
internal sealed class ObservedLayer(IBlockDevice below, Action<long, long> touched) : LayerDevice(below)
{
    public override ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellation = default)
    {
        touched(offset, destination.Length);
        return Below.ReadAsync(offset, destination, cancellation);
    }

    public override ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation = default)
    {
        touched(offset, source.Length);
        return Below.WriteAsync(offset, source, cancellation);
    }
}
