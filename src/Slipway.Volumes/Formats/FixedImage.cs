using Slipway.Disks;
using Slipway.Volumes.Qcow2.Files;

namespace Slipway.Volumes.Formats;

/// <summary>A disk whose bytes lie one after the other from the file's first on: raw, or a fixed VHD without its footer.</summary>
internal sealed class FixedImage(IImageFile file, long length) : IBlockDevice
{
    /// <summary>Rounded up to whole sectors.</summary>
    public long Length { get; } = (length + 511) / 512 * 512;

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

    private static BlockDeviceException Refusal() => new(BlockDeviceError.ReadOnly, "this file takes no writes");
}
