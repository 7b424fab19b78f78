namespace Slipway.Volumes.Qcow2;

/// <summary>
/// The file that an image's format lies in: grows when written past its end, reads as zeroes there. Behind an interface
/// so that a test can record what reaches the file, and cut the power.
/// </summary>
public interface IImageFile : IAsyncDisposable
{
    long Length { get; }

    bool IsReadOnly { get; }

    ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellation = default);

    ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation = default);

    /// <summary>Returns when every write completed before the call is on the medium.</summary>
    ValueTask FlushAsync(CancellationToken cancellation = default);
}
