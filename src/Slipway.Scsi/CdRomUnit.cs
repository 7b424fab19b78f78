using Slipway.Disks;
using Slipway.Scsi.Commands;
using Slipway.Scsi.Commands.Discovery;
using Slipway.Scsi.Commands.Medium;
using Slipway.Scsi.Commands.Mode;
using Slipway.Scsi.Commands.Optical;
using Slipway.Scsi.Commands.Power;
using Slipway.Scsi.Commands.Reports;

namespace Slipway.Scsi;

/// <summary>
/// A CD-ROM or DVD-ROM drive (MMC-6) with an ISO image in it: one session, one data track, blocks of 2048 bytes. Nothing
/// is ever written to the device.
/// </summary>
public sealed class CdRomUnit : BlockUnit
{
    /// <summary>The longest CD, 90 minutes; a larger image is a DVD.</summary>
    private const ulong LongestCd = 90 * 60 * 75;

    private static readonly CommandTable Table = new(
        TestUnitReady.Rows, Inquiry.Rows, ReportLuns.Rows, RequestSense.Rows,
        ReadCapacity.ShortRows, Read.OpticalRows, ReadCd.Rows, Seek.Rows,
        ModeSense.Rows, ModeSelect.Rows, StartStopUnit.Rows, PreventAllowMediumRemoval.Rows,
        GetConfiguration.Rows, GetEventStatusNotification.Rows, MechanismStatus.Rows, SetCdSpeed.Rows,
        ReadToc.Rows, ReadDiscInformation.Rows, ReadTrackInformation.Rows, ReadDiscStructure.Rows,
        ReportSupportedOperationCodes.Rows, ReportSupportedTaskManagementFunctions.Rows);

    private static readonly ushort[] ClaimedStandards = [0x00A0, 0x0460, 0x04E0, 0x0960]; // SAM-5, SPC-4, MMC-6, iSCSI

    /// <param name="device">The image; a tail shorter than 2048 bytes is unreachable.</param>
    public CdRomUnit(IBlockDevice device, UnitIdentity identity)
        : base(device, identity, blockSize: 2048)
    {
    }

    internal override CommandTable Commands => Table;

    internal override ModePages ModePages { get; } = ModePages.OfCdRom();

    // MMC-6 §6.14: a locked door keeps the medium from coming out; the tray may be closed.
    internal override RemovableMedium Medium { get; } = new(preventsLoading: false);

    internal override SenseCode MediumNotPresent => SenseCode.MediumNotPresentTrayOpen;

    internal override byte DeviceType => 0x05;

    internal override ReadOnlySpan<ushort> Standards => ClaimedStandards;

    internal override ReadOnlySpan<byte> VitalProductPages => [0x00, 0x80, 0x83, 0x86];

    internal bool HoldsDvd => Blocks > LongestCd;

    // Byte 6, bit 1 of the capabilities page: the lock state.
    internal override void UpdateModePages() => ModePages.Show(0x2A, 6, (byte)(Medium.IsPrevented ? 0x2B : 0x29));
}
