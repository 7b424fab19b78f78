using Slipway.Disks;

namespace Slipway.Volumes.Qcow2.Tables;

/// <summary>Where an image has data, zeroes and holes, and what of that is from below.</summary>
internal sealed class Qcow2Extents(Qcow2Map map, IBlockDevice? backing, long diskLength)
{
    private volatile Below? _below;

    public async ValueTask<Extent> GetAsync(long offset, CancellationToken cancellation)
    {
        var (kind, length) = await KindAsync(offset, cancellation);
        var end = offset + length;
        // Bounded: an answer may be shorter than the run.
        for (var i = 0; i < 4096 && end < diskLength; i++)
        {
            var (next, more) = await KindAsync(end, cancellation);
            if (next != kind) break;
            end += more;
        }
        return new(offset, Math.Min(end, diskLength) - offset, kind);
    }

    /// <summary>The extent at a place, and whether its bytes are those of the backing image.</summary>
    public async ValueTask<(Extent Extent, bool IsBelow)> GetOriginAsync(long offset, CancellationToken cancellation)
    {
        var (mapping, length) = await map.LookupAsync(offset, cancellation);
        if (mapping.Kind != MappingKind.Unallocated || backing is null || offset >= backing.Length)
        {
            var (kind, own) = await KindAsync(offset, cancellation);
            return (new(offset, Math.Min(own, diskLength - offset), kind), false);
        }
        var below = await BelowAsync(backing, offset, cancellation);
        var end = offset + length;
        while (end < Math.Min(offset + below.Length, diskLength))
        {
            (mapping, length) = await map.LookupAsync(end, cancellation);
            if (mapping.Kind != MappingKind.Unallocated) break;
            end += length;
        }
        return (new(offset, Math.Min(Math.Min(end - offset, below.Length), diskLength - offset), below.Kind), true);
    }

    private async ValueTask<(ExtentKind Kind, long Length)> KindAsync(long offset, CancellationToken cancellation)
    {
        var (mapping, length) = await map.LookupAsync(offset, cancellation);
        switch (mapping.Kind)
        {
            case MappingKind.Data or MappingKind.Compressed:
                return (ExtentKind.Data, length);
            case MappingKind.Zero:
                return (mapping.HostOffset == 0 ? ExtentKind.Hole : ExtentKind.Zero, length);
            case MappingKind.Unallocated when backing is not null && offset < backing.Length:
                var below = await BelowAsync(backing, offset, cancellation);
                return (below.Kind, Math.Min(length, below.Length));
            default:
                return (ExtentKind.Hole, length);
        }
    }

    // A backing image does not change while it is open: what it answered last, perhaps after a look at thousands of clusters,
    // holds for the places that follow. Asked anew for each cluster, each image of a chain would multiply the work by that.
    private async ValueTask<Extent> BelowAsync(IBlockDevice device, long offset, CancellationToken cancellation)
    {
        if (_below is not { } last || offset < last.Extent.Offset || offset >= last.Extent.Offset + last.Extent.Length)
            _below = last = new(await device.GetExtentAsync(offset, cancellation));
        return last.Extent with { Offset = offset, Length = last.Extent.Offset + last.Extent.Length - offset };
    }

    private sealed record Below(Extent Extent);
}
