using System.Buffers.Binary;
using Slipway.Disks;
using Slipway.Volumes.Qcow2.Files;

namespace Slipway.Volumes.Qcow2.Headers;

/// <summary>
/// The two marks in an image's header that tell the next one who opens it what to expect ("incompatible_features"):
/// dirty, the reference counts may be wrong; corrupt, the tables are, and nobody may write before a repair. Each change
/// is one write within the first sector, so a cut leaves it done or not done.
/// </summary>
internal sealed class Qcow2Marks(IImageFile file, Qcow2Header header)
{
    private const int FeaturesAt = 72;
    private Qcow2Features _features = header.Features;
    private volatile bool _isCorrupt = (header.Features & Qcow2Features.Corrupt) != 0;

    public bool IsDirty => (_features & Qcow2Features.Dirty) != 0;

    /// <summary>Nothing may be written any more.</summary>
    public bool IsCorrupt => _isCorrupt;

    /// <summary>Returns when the mark is on the medium: reference counts may be changed in any order then.</summary>
    public async ValueTask MarkDirtyAsync(CancellationToken cancellation)
    {
        if (IsDirty) return;
        await WriteAsync(_features | Qcow2Features.Dirty, cancellation);
        await file.FlushAsync(cancellation);
        _features |= Qcow2Features.Dirty;
    }

    /// <summary>The reference counts are right again, and on the medium.</summary>
    public async ValueTask ClearDirtyAsync(CancellationToken cancellation)
    {
        if (!IsDirty) return;
        await WriteAsync(_features & ~Qcow2Features.Dirty, cancellation);
        _features &= ~Qcow2Features.Dirty;
    }

    /// <summary>Tables contradict one another. Makes the exception to throw; an image that is open for writing is marked.</summary>
    public async ValueTask<BlockDeviceException> CorruptAsync(string what)
    {
        if (!file.IsReadOnly && !_isCorrupt)
        {
            _isCorrupt = true;
            _features |= Qcow2Features.Corrupt;
            await WriteAsync(_features, CancellationToken.None);
            await file.FlushAsync(CancellationToken.None);
        }
        return new(BlockDeviceError.Corrupt, $"qcow2: {what}");
    }

    public void RequireSound()
    {
        if (_isCorrupt) throw new BlockDeviceException(BlockDeviceError.Corrupt, "qcow2: the image was found to be corrupt and takes no writes; `qemu-img check -r all` repairs it");
    }

    private ValueTask WriteAsync(Qcow2Features features, CancellationToken cancellation)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, (ulong)features);
        return file.WriteAsync(FeaturesAt, bytes, cancellation);
    }
}
