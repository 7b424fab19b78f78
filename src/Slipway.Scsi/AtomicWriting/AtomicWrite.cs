using Slipway.Disks;

namespace Slipway.Scsi.AtomicWriting;

/// <summary>A write that is to be there whole or not at all.</summary>
/// <param name="Offset">In bytes, from the medium's begin.</param>
/// <param name="Before">What stood there, and stands there on the medium: whole sectors of 512 bytes.</param>
/// <param name="After">What is to stand there; as long.</param>
public sealed record AtomicWrite(long Offset, ReadOnlyMemory<byte> Before, ReadOnlyMemory<byte> After)
{
    private const int SectorLength = 512;

    /// <summary>
    /// Completes the write where a crash has torn it: some sectors are old, and all others new. Anything else was not torn,
    /// or is no longer what the write left there, and is let alone: a write that was kept for too long does no harm.
    /// </summary>
    /// <exception cref="BlockDeviceException">It was torn, and still is.</exception>
    public async ValueTask CompleteAsync(IBlockDevice device, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (After.Length > device.Length || Offset > device.Length - After.Length)
            return;
        var found = new byte[After.Length];
        await device.ReadAsync(Offset, found, cancellation);
        if (!IsTorn(found))
            return;
        await device.WriteAsync(Offset, After, cancellation);
        await device.FlushAsync(cancellation);
    }

    private bool IsTorn(ReadOnlySpan<byte> found)
    {
        var (someOld, someNew) = (false, false);
        for (var at = 0; at < found.Length; at += SectorLength)
        {
            var sector = found.Slice(at, SectorLength);
            var isOld = sector.SequenceEqual(Before.Span.Slice(at, SectorLength));
            var isNew = sector.SequenceEqual(After.Span.Slice(at, SectorLength));
            if (!isOld && !isNew)
                return false;
            someOld |= !isNew;
            someNew |= !isOld;
        }

        return someOld && someNew;
    }
}
