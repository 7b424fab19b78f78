using Slipway.Disks;

namespace Slipway.Scsi.AtomicWriting;

/// <summary>Keeps the one write of a unit that is under way, apart from the medium, for whom finds the medium torn.</summary>
public interface IAtomicWriteStore
{
    /// <summary>Returns when the write is kept across a power cut.</summary>
    /// <exception cref="BlockDeviceException">It is not.</exception>
    ValueTask SaveAsync(AtomicWrite write);

    /// <summary>Returns when nothing is kept any more, across a power cut either.</summary>
    /// <exception cref="BlockDeviceException">The write is still kept.</exception>
    ValueTask ClearAsync();
}
