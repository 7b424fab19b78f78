namespace Slipway.Disks;

/// <summary>
/// A part of a disk that one reader may look at. Every offset that comes from the disk's own content goes through here,
/// so that a damaged one is a <see cref="DiskFormatException"/> and never reaches past the region.
/// </summary>
public readonly record struct DiskRegion(IBlockDevice Disk, long Start, long Length)
{
    public static DiskRegion Whole(IBlockDevice disk) => new(disk, 0, disk.Length);

    public ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellation)
    {
        if (!Holds(offset, destination.Length))
            throw new DiskFormatException($"{destination.Length} bytes at {offset} are outside of the {Length} bytes that hold this");
        return Disk.ReadAsync(Start + offset, destination, cancellation);
    }

    public async ValueTask<byte[]> ReadAsync(long offset, int length, CancellationToken cancellation)
    {
        if (!Holds(offset, length))
            throw new DiskFormatException($"{length} bytes at {offset} are outside of the {Length} bytes that hold this");
        var bytes = new byte[length];
        await Disk.ReadAsync(Start + offset, bytes, cancellation);
        return bytes;
    }

    public bool Holds(long offset, long length) =>
        offset >= 0 && length >= 0 && offset <= Length - length && Start >= 0 && Start <= Disk.Length - length - offset;
}
