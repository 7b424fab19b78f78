namespace Slipway.Disks;

/// <summary>
/// A disk as a flat run of bytes. Everything that reads or writes a disk (the SCSI unit, partition tables, file systems,
/// image converters) does so through this interface; raw files, qcow2 images and the layers around them implement it.
/// </summary>
/// <remarks>
/// <para>Offsets and lengths are in bytes. A range outside <c>[0, Length)</c> is a caller's bug and throws
/// <see cref="ArgumentOutOfRangeException"/>; what the medium refuses throws <see cref="BlockDeviceException"/>.</para>
/// <para>A call that can be answered at once (a cached read) returns a completed task and allocates nothing: callers on
/// an event loop test <see cref="ValueTask.IsCompleted"/> and go on. A call that would block moves to a worker.</para>
/// <para>Calls may overlap in time. Two overlapping ranges in flight together have no defined order, as on a disk.</para>
/// </remarks>
public interface IBlockDevice : IAsyncDisposable
{
    /// <summary>Size in bytes; a multiple of 512.</summary>
    long Length { get; }

    /// <summary>True where writes, discards and zeroing are refused with <see cref="BlockDeviceError.ReadOnly"/>.</summary>
    bool IsReadOnly { get; }

    /// <summary>Fills all of <paramref name="destination"/> from <paramref name="offset"/>.</summary>
    ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellation = default);

    /// <summary>
    /// Writes all of <paramref name="source"/>. When the task completes the data, and the metadata that finds it, survive
    /// the death of this process; only <see cref="FlushAsync"/> makes them survive the death of the host.
    /// </summary>
    ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation = default);

    /// <summary>Returns when every write completed before the call is on the medium.</summary>
    ValueTask FlushAsync(CancellationToken cancellation = default);

    /// <summary>Gives the space of a range back where possible. The range then reads as zeroes.</summary>
    ValueTask DiscardAsync(long offset, long length, CancellationToken cancellation = default);

    /// <summary>Makes a range read as zeroes; with <paramref name="mayDiscard"/> its space may be given back.</summary>
    ValueTask WriteZeroesAsync(long offset, long length, bool mayDiscard, CancellationToken cancellation = default);

    /// <summary>
    /// The extent that covers <paramref name="offset"/>: how many bytes from there on (at least 1, never past
    /// <see cref="Length"/>) share one <see cref="ExtentKind"/>. A device that does not know says <see cref="ExtentKind.Data"/>.
    /// </summary>
    ValueTask<Extent> GetExtentAsync(long offset, CancellationToken cancellation = default);
}

/// <summary>A run of bytes of one kind; <paramref name="Length"/> in bytes.</summary>
public readonly record struct Extent(long Offset, long Length, ExtentKind Kind);

/// <summary>What the medium holds in a range.</summary>
public enum ExtentKind
{
    /// <summary>Stored bytes.</summary>
    Data,

    /// <summary>Reads as zeroes, and space is kept for it.</summary>
    Zero,

    /// <summary>Reads as zeroes, and takes no space.</summary>
    Hole,
}
