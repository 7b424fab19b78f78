using Slipway.Disks;

namespace Slipway.Volumes.Qcow2;

/// <summary>A raw file at the end of a backing chain: read only; its length rounded up to whole sectors.</summary>
internal sealed class RawBacking(IImageFile file) : IBlockDevice
{
    public long Length { get; } = (file.Length + 511) / 512 * 512;

    public bool IsReadOnly => true;

    public ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellation = default) => file.ReadAsync(offset, destination, cancellation);

    public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation = default) => throw Refusal();

    public ValueTask FlushAsync(CancellationToken cancellation = default) => ValueTask.CompletedTask;

    public ValueTask DiscardAsync(long offset, long length, CancellationToken cancellation = default) => throw Refusal();

    public ValueTask WriteZeroesAsync(long offset, long length, bool mayDiscard, CancellationToken cancellation = default) => throw Refusal();

    public ValueTask<Extent> GetExtentAsync(long offset, CancellationToken cancellation = default)
    {
        var (end, isData) = file.FindExtent(offset);
        return ValueTask.FromResult(new Extent(offset, Math.Min(end, Length) - offset, isData ? ExtentKind.Data : ExtentKind.Hole));
    }

    public ValueTask DisposeAsync() => file.DisposeAsync();

    private static BlockDeviceException Refusal() => new(BlockDeviceError.ReadOnly, "a backing image takes no writes");
}
