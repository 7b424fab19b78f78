using Slipway.Disks;
using Slipway.Scsi.Commands;

namespace Slipway.Scsi;

/// <summary>What a medium's refusal is called in sense data.</summary>
internal static class MediumSense
{
    public static SenseCode For(BlockDeviceException refusal, CommandRow row) => refusal.Error switch
    {
        BlockDeviceError.ReadOnly => SenseCode.WriteProtected,

        // SBC-3 §4.7.3.6: a permanent lack of space under a thin unit.
        BlockDeviceError.NoSpace => SenseCode.SpaceAllocationFailed,
        BlockDeviceError.Corrupt => SenseCode.MediumFormatCorrupted,
        _ => row.Has(CommandTraits.Writes | CommandTraits.Flushes) ? SenseCode.WriteError : SenseCode.UnrecoveredReadError,
    };
}
