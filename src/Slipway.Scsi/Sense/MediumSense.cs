using Slipway.Disks;

namespace Slipway.Scsi;

/// <summary>What a medium's refusal is called in sense data.</summary>
internal static class MediumSense
{
    /// <param name="writes">It was asked to write, or to flush.</param>
    public static SenseCode For(BlockDeviceException refusal, bool writes) => refusal.Error switch
    {
        BlockDeviceError.ReadOnly => SenseCode.WriteProtected,

        // SBC-3 §4.7.3.6: a permanent lack of space under a thin unit.
        BlockDeviceError.NoSpace => SenseCode.SpaceAllocationFailed,
        BlockDeviceError.Corrupt => SenseCode.MediumFormatCorrupted,
        _ => writes ? SenseCode.WriteError : SenseCode.UnrecoveredReadError,
    };
}
