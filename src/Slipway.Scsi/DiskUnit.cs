using System.Numerics;
using Slipway.Disks;
using Slipway.Scsi.Commands;
using Slipway.Scsi.Commands.Copy;
using Slipway.Scsi.Commands.Discovery;
using Slipway.Scsi.Commands.Medium;
using Slipway.Scsi.Commands.Mode;
using Slipway.Scsi.Commands.Power;
using Slipway.Scsi.Commands.Provisioning;
using Slipway.Scsi.Commands.Reports;
using Slipway.Scsi.Commands.Reservations;
using Slipway.Scsi.Reservations;
using Slipway.Scsi.Sanitizing;

namespace Slipway.Scsi;

/// <summary>A direct access block device (SBC-3) on an <see cref="IBlockDevice"/>, which stays the caller's to dispose.</summary>
public sealed class DiskUnit : LogicalUnit
{
    private static readonly CommandTable Table = new(
        TestUnitReady.Rows, Inquiry.Rows, ReportLuns.Rows, RequestSense.Rows,
        ReadCapacity.Rows, Read.Rows, Write.Rows, Verify.Rows, SynchronizeCache.Rows, Prefetch.Rows,
        CompareAndWrite.Rows, OrWrite.Rows, WriteAndVerify.Rows, ReadDefectData.Rows,
        Unmap.Rows, WriteSame.Rows, GetLbaStatus.Rows,
        Sanitize.Rows, ExtendedCopy.Rows, ReceiveCopyResults.Rows,
        ModeSense.Rows, ModeSelect.Rows, StartStopUnit.Rows, PreventAllowMediumRemoval.Rows,
        ReportSupportedOperationCodes.Rows, ReportSupportedTaskManagementFunctions.Rows, LogSense.Rows,
        Reserve.Rows, PersistentReserveIn.Rows, PersistentReserveOut.Rows);

    private readonly int _blockShift;
    private volatile bool _writeProtected;
    private volatile bool _stopped;

    /// <param name="blockSize">The logical block length, 512 to 4096, a power of two. A tail of the device shorter than one block is unreachable.</param>
    /// <param name="reservations">Keeps registrations made with APTPL; without it APTPL is refused.</param>
    /// <param name="removable">The medium can be ejected, loaded, and kept from being ejected.</param>
    public DiskUnit(
        IBlockDevice device, UnitIdentity identity, int blockSize = 512, IReservationStore? reservations = null, bool removable = false)
        : base(identity)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (blockSize is < 512 or > 4096 || !BitOperations.IsPow2(blockSize))
            throw new ArgumentOutOfRangeException(nameof(blockSize), blockSize, "A block is 512, 1024, 2048 or 4096 bytes.");
        if (device.Length < blockSize)
            throw new ArgumentException($"A disk of {device.Length} bytes does not hold a block of {blockSize}.", nameof(device));
        Device = device;
        _blockShift = BitOperations.Log2((uint)blockSize);
        Limits = BlockLimits.For(blockSize);
        Reservations = new UnitReservations(reservations);
        Medium = removable ? new RemovableMedium() : null;
    }

    public IBlockDevice Device { get; }

    public int BlockSize => 1 << _blockShift;

    /// <summary>How many blocks the unit has now.</summary>
    public ulong Blocks => (ulong)(Device.Length >> _blockShift);

    /// <summary>Refuses writes with DATA PROTECT; true also where the device takes none or an initiator said so (SWP).</summary>
    public bool WriteProtected
    {
        get => _writeProtected || Device.IsReadOnly || ModePages.SoftwareWriteProtect;
        set => _writeProtected = value;
    }

    /// <summary>Tells the initiators that the device's length is not what it was.</summary>
    public void ReportCapacityChange() => EstablishForAll(SenseCode.CapacityDataHasChanged);

    internal override CommandTable Commands => Table;

    internal override bool UsesDescriptorSense => ModePages.DescriptorSense;

    internal override SenseCode PendingSense => Sanitizing.Refusal ?? NotReady ?? SenseCode.NoSense;

    internal override SenseKeySpecific PendingProgress => Sanitizing.Progress;

    internal BlockLimits Limits { get; }

    internal ModePages ModePages { get; } = new();

    /// <summary>START STOP UNIT: a stopped unit answers NOT READY to what needs the medium.</summary>
    internal bool Stopped
    {
        get => _stopped;
        set => _stopped = value;
    }

    /// <summary>Null where the medium cannot be removed.</summary>
    internal RemovableMedium? Medium { get; }

    internal UnitReservations Reservations { get; }

    internal SanitizeState Sanitizing { get; } = new();

    internal RangeLock Changes { get; } = new();

    private SenseCode? NotReady => Medium is { IsEjected: true }
        ? SenseCode.MediumNotPresent
        : _stopped ? SenseCode.NotReadyInitializingCommandRequired : null;

    /// <summary>Ends a change of the medium: on the medium itself where the command (FUA) or the mode (WCE zero) says so.</summary>
    internal ValueTask CommitAsync(bool throughCache, CancellationToken cancellation) =>
        throughCache || !ModePages.WriteCacheEnabled ? Device.FlushAsync(cancellation) : default;

    /// <summary>Returns when every change of the medium that had begun has ended.</summary>
    internal async ValueTask DrainChangesAsync(CancellationToken cancellation)
    {
        using (await Changes.EnterAloneAsync(cancellation))
        {
        }
    }

    internal long ToBytes(ulong blocks) => (long)blocks << _blockShift;

    internal ulong ToBlocks(long bytes) => (ulong)(bytes >> _blockShift);

    /// <summary>SBC-3 §5: the range must end where the medium does, or before.</summary>
    internal bool Holds(BlockRange range)
    {
        var blocks = Blocks;
        return range.Lba <= blocks && range.Blocks <= blocks - range.Lba;
    }

    /// <summary>Whether a copy may read the unit on a nexus' behalf: neither another's reservation nor its state forbids it.</summary>
    internal bool MayRead(UnitNexus nexus) =>
        NotReady is null && Sanitizing.Refusal is null && !IsReservedFor(nexus, writes: false);

    internal bool MayWrite(UnitNexus nexus) =>
        NotReady is null && Sanitizing.Refusal is null && !WriteProtected && !IsReservedFor(nexus, writes: true);

    private protected override SenseCode? Refuses(CommandRow? row)
    {
        if (row is null)
            return null;
        if (!row.Has(CommandTraits.PassesSanitize) && Sanitizing.Refusal is { } sanitized)
            return sanitized;
        if (!row.Has(CommandTraits.NeedsMedium))
            return null;
        if (NotReady is { } notReady)
            return notReady;
        if (!row.Has(CommandTraits.Writes))
            return null;
        if (_writeProtected || Device.IsReadOnly)
            return SenseCode.WriteProtected;
        return ModePages.SoftwareWriteProtect ? SenseCode.SoftwareWriteProtected : null;
    }

    private protected override bool Conflicts(UnitNexus nexus, CommandRow row, ScsiTask task)
    {
        if (Reservations.ReservedBy is { } holder && holder != nexus && !row.Has(CommandTraits.PassesReserve))
            return true;
        return Reservations.State.Conflicts(
            nexus.Port, row.Has(CommandTraits.ConflictsWithWriteExclusive), row.Has(CommandTraits.ConflictsWithExclusiveAccess));
    }

    private bool IsReservedFor(UnitNexus nexus, bool writes) =>
        (Reservations.ReservedBy is { } holder && holder != nexus) || Reservations.State.Conflicts(nexus.Port, writes, true);

    // A machine that stopped its disk at shutdown must find it running at its next boot: firmware sends no START.
    private protected override void OnClosed(UnitNexus nexus, bool wasLast)
    {
        Reservations.Release(nexus);
        Medium?.Allow(nexus);
        if (!wasLast)
            return;
        _stopped = false;
        Medium?.Reset();
    }

    private protected override void OnReset()
    {
        _stopped = false;
        Medium?.Reset();
        Reservations.Reset();
        ModePages.Reset();
    }
}
