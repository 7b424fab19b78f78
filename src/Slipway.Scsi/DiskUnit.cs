using System.Numerics;
using Slipway.Disks;
using Slipway.Scsi.AtomicWriting;
using Slipway.Scsi.Commands;
using Slipway.Scsi.Commands.Copy;
using Slipway.Scsi.Commands.Discovery;
using Slipway.Scsi.Commands.Medium;
using Slipway.Scsi.Commands.Mode;
using Slipway.Scsi.Commands.Power;
using Slipway.Scsi.Commands.Provisioning;
using Slipway.Scsi.Commands.Reports;
using Slipway.Scsi.Commands.Reservations;
using Slipway.Scsi.MediumOperations;
using Slipway.Scsi.Reservations;

namespace Slipway.Scsi;

/// <summary>A direct access block device (SBC-3).</summary>
public sealed class DiskUnit : BlockUnit
{
    private static readonly CommandRow[][] Families =
    [
        TestUnitReady.Rows, Inquiry.Rows, ReportLuns.Rows, RequestSense.Rows,
        ReadCapacity.Rows, Read.Rows, Write.Rows, Verify.Rows, SynchronizeCache.Rows, Prefetch.Rows,
        CompareAndWrite.Rows, OrWrite.Rows, WriteAndVerify.Rows, ReadDefectData.Rows,
        Unmap.Rows, WriteSame.Rows, GetLbaStatus.Rows,
        FormatUnit.Rows, Sanitize.Rows, ExtendedCopy.Rows, ReceiveCopyResults.Rows,
        ModeSense.Rows, ModeSelect.Rows, StartStopUnit.Rows, PreventAllowMediumRemoval.Rows,
        ReportSupportedOperationCodes.Rows, ReportSupportedTaskManagementFunctions.Rows, ReportTargetPortGroups.Rows,
        LogSense.Rows, Diagnostics.Rows,
        Reserve.Rows, PersistentReserveIn.Rows, PersistentReserveOut.Rows,
    ];

    private static readonly CommandTable Table = new(Families);
    private static readonly CommandTable AtomicTable = new([.. Families, WriteAtomic.Rows]);

    private static readonly ushort[] ClaimedStandards = [0x00A0, 0x0460, 0x04C0, 0x0960]; // SAM-5, SPC-4, SBC-3, iSCSI

    private readonly RangeLock _changes = new();
    private volatile bool _writeProtected;

    /// <param name="blockSize">The logical block length, 512 to 4096, a power of two. A tail of the device shorter than one block is unreachable.</param>
    /// <param name="reservations">Keeps registrations made with APTPL; without it APTPL is refused.</param>
    /// <param name="atomicWrites">Keeps the atomic write that is under way; without it WRITE ATOMIC is no command of the unit.</param>
    /// <param name="removable">The medium can be ejected, loaded, and kept from being ejected.</param>
    public DiskUnit(
        IBlockDevice device, UnitIdentity identity, int blockSize = 512, IReservationStore? reservations = null,
        IAtomicWriteStore? atomicWrites = null, bool removable = false)
        : base(device, identity, Checked(blockSize))
    {
        Reservations = new UnitReservations(reservations);
        AtomicWrites = atomicWrites is null ? null : new AtomicWrites(atomicWrites);
        Medium = removable ? new RemovableMedium(preventsLoading: true) : null;
    }

    /// <summary>Refuses writes with DATA PROTECT; true also where the device takes none or an initiator said so (SWP).</summary>
    public bool WriteProtected
    {
        get => _writeProtected || Device.IsReadOnly || ModePages.SoftwareWriteProtect;
        set => _writeProtected = value;
    }

    /// <summary>Tells the initiators that the device's length is not what it was.</summary>
    public void ReportCapacityChange() => EstablishForAll(SenseCode.CapacityDataHasChanged);

    /// <summary>
    /// The device is to have another content, which is no initiator's doing: a SANITIZE or FORMAT UNIT that goes on ends, and what
    /// one left behind that failed is forgotten. Nothing of them is written when it returns.
    /// </summary>
    public ValueTask TakeMediumAwayAsync() => MediumOperation.ForgetAsync();

    internal override CommandTable Commands => AtomicWrites is null ? Table : AtomicTable;

    internal override SenseCode PendingSense => MediumOperation.Refusal ?? NotReady ?? SenseCode.NoSense;

    internal override SenseKeySpecific PendingProgress => MediumOperation.Progress;

    internal override bool IsBusy => MediumOperation.IsRunning;

    internal override ModePages ModePages { get; } = ModePages.OfDisk();

    internal override RemovableMedium? Medium { get; }

    internal override byte DeviceType => 0x00;

    internal override ReadOnlySpan<ushort> Standards => ClaimedStandards;

    internal override ReadOnlySpan<byte> VitalProductPages => [0x00, 0x80, 0x83, 0x86, 0x8F, 0xB0, 0xB1, 0xB2];

    // SBC-3 §6.5.1: WP, DPOFUA.
    internal override byte? DeviceSpecificParameter => (byte)(0x10 | (WriteProtected ? 0x80 : 0));

    internal UnitReservations Reservations { get; }

    /// <summary>SANITIZE or FORMAT UNIT.</summary>
    internal MediumOperationState MediumOperation { get; } = new();

    internal AtomicWrites? AtomicWrites { get; }

    internal override ValueTask ReadAsync(BlockRange range, Memory<byte> destination, CancellationToken cancellation) =>
        AtomicWrites is { } atomic ? atomic.ReadAsync(this, range, destination, cancellation) : base.ReadAsync(range, destination, cancellation);

    /// <summary>
    /// The one way to change the medium: completes when the change has its turn, and throws <see cref="ChangeRefusedException"/>
    /// where another nexus has taken the unit since the command was let in, or an operation on the medium has begun. PREEMPT AND
    /// ABORT (SPC-4 §5.12.11.2.6), SANITIZE and FORMAT UNIT wait for the changes that they find here, and for none that comes after.
    /// </summary>
    /// <param name="exclusive">Reads the blocks too, and wants nobody else to change them between.</param>
    internal ValueTask<RangeLock.Hold> BeginChangeAsync(
        UnitNexus nexus, BlockRange range, bool exclusive, CancellationToken cancellation)
    {
        var entering = _changes.EnterAsync(range, exclusive, cancellation);
        return entering.IsCompletedSuccessfully
            ? ValueTask.FromResult(Checked(entering.Result, nexus))
            : CheckedAsync(entering, nexus);
    }

    /// <summary>Waits until no exclusive change of the blocks is under way, and lets none begin while they are read.</summary>
    internal ValueTask<RangeLock.Hold> KeepChangesOffAsync(BlockRange range, CancellationToken cancellation) =>
        _changes.EnterAsync(range, exclusive: false, cancellation);

    /// <summary>Ends a change of the medium: on the medium itself where the command (FUA) or the mode (WCE zero) says so.</summary>
    internal ValueTask CommitAsync(bool throughCache, CancellationToken cancellation) =>
        throughCache || !ModePages.WriteCacheEnabled ? Device.FlushAsync(cancellation) : default;

    /// <summary>Returns when every change of the medium that had begun has ended.</summary>
    internal async ValueTask DrainChangesAsync(CancellationToken cancellation)
    {
        using (await _changes.EnterAloneAsync(cancellation))
        {
        }
    }

    /// <summary>Begins an operation on the medium for a command, which ends with it, or at once.</summary>
    internal ValueTask Operate(
        ScsiTask task, MediumOperationSense sense, Func<MediumOperation> begin, bool allowsExit, bool atOnce, CancellationToken cancellation)
    {
        var end = MediumOperation.TryBegin(sense, begin, allowsExit, out var refusal);
        if (end is null)
            return Refuse(task, refusal, MediumOperation.Progress);
        return atOnce ? default : WaitAsync(task, end, cancellation);
    }

    /// <summary>Whether a copy may read the unit on a nexus' behalf: neither another's reservation nor its state forbids it.</summary>
    internal bool MayRead(UnitNexus nexus) =>
        NotReady is null && MediumOperation.Refusal is null && !IsReservedFor(nexus, writes: false);

    internal override bool MayControl(UnitNexus nexus) =>
        !Reservations.State.Conflicts(nexus.Port, withWriteExclusive: true, withExclusiveAccess: true);

    internal bool MayWrite(UnitNexus nexus) =>
        NotReady is null && MediumOperation.Refusal is null && !WriteProtected && !IsReservedFor(nexus, writes: true);

    private protected override SenseCode? Refuses(CommandRow? row)
    {
        if (row is null)
            return null;
        if (MediumOperation.RefusalOf(row) is { } refusal)
            return refusal;
        if (base.Refuses(row) is { } notReady)
            return notReady;
        if (!row.Has(CommandTraits.Writes))
            return null;
        if (_writeProtected || Device.IsReadOnly)
            return SenseCode.WriteProtected;
        return ModePages.SoftwareWriteProtect ? SenseCode.SoftwareWriteProtected : null;
    }

    private protected override bool Conflicts(UnitNexus nexus, CommandRow row, ScsiTask task)
    {
        if (Reservations.ReservedBy is { } holder &&
            (row.Has(CommandTraits.ConflictsWithReserve) || (holder != nexus && !row.Has(CommandTraits.PassesReserve))))
            return true;
        return Reservations.State.Conflicts(
            nexus.Port, row.Has(CommandTraits.ConflictsWithWriteExclusive), row.Has(CommandTraits.ConflictsWithExclusiveAccess));
    }

    // Whoever gives the command up does not give up the operation.
    private async ValueTask WaitAsync(ScsiTask task, Task<SenseCode?> end, CancellationToken cancellation)
    {
        await Task.WhenAny(end, task.Abandonment).WaitAsync(cancellation);
        if (end.IsCompleted && await end is { } failure)
            await Refuse(task, failure);
    }

    private async ValueTask<RangeLock.Hold> CheckedAsync(ValueTask<RangeLock.Hold> entering, UnitNexus nexus) =>
        Checked(await entering, nexus);

    private RangeLock.Hold Checked(RangeLock.Hold hold, UnitNexus nexus)
    {
        var operation = MediumOperation.Refusal;
        if (operation is null && !IsReservedFor(nexus, writes: true))
            return hold;
        hold.Dispose();
        throw new ChangeRefusedException(operation);
    }

    private bool IsReservedFor(UnitNexus nexus, bool writes) =>
        (Reservations.ReservedBy is { } holder && holder != nexus) || Reservations.State.Conflicts(nexus.Port, writes, true);

    private protected override void OnClosed(UnitNexus nexus, bool wasLast)
    {
        Reservations.Release(nexus);
        base.OnClosed(nexus, wasLast);
    }

    private protected override void OnReset()
    {
        base.OnReset();
        Reservations.Reset();
    }

    private static int Checked(int blockSize) => blockSize is >= 512 and <= 4096 && BitOperations.IsPow2(blockSize)
        ? blockSize
        : throw new ArgumentOutOfRangeException(nameof(blockSize), blockSize, "A block is 512, 1024, 2048 or 4096 bytes.");
}
