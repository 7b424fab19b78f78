namespace Slipway.Volumes.Qcow2.Files;

/// <summary>
/// The file that an image's format lies in: grows when written past its end, reads as zeroes there. Behind an interface
/// so that a test can record what reaches the file, and cut the power.
/// </summary>
/// <remarks>A call that can be answered from memory returns a completed task and allocates nothing.</remarks>
public interface IImageFile : IAsyncDisposable
{
    long Length { get; }

    bool IsReadOnly { get; }

    /// <summary>
    /// For how long a write that completed is there without a flush: as long as this stays the same, whatever becomes of
    /// the process. Empty where that is not known.
    /// </summary>
    Guid Boot => Guid.Empty;

    ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellation = default);

    ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation = default);

    /// <summary>Returns when every write completed before the call is on the medium.</summary>
    ValueTask FlushAsync(CancellationToken cancellation = default);

    /// <summary>Gives the space of a range back to the host where it can: nobody will read these bytes before they are written again.</summary>
    void Discard(long offset, long length);

    /// <summary>Whether the bytes from <paramref name="offset"/> on are stored, and where that ends (past the file's end where it never does).</summary>
    (long End, bool IsData) FindExtent(long offset) => (long.MaxValue, true);
}
