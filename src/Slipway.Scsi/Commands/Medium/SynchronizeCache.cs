namespace Slipway.Scsi.Commands.Medium;

/// <summary>
/// SYNCHRONIZE CACHE (SBC-3 §5.26, §5.27). The whole device is flushed whatever the range: more than asked is allowed. So
/// is waiting when IMMED asks for an early answer, and an error can then still be told.
/// </summary>
internal static class SynchronizeCache
{
    private const CommandTraits Traits =
        CommandTraits.NeedsMedium | CommandTraits.Flushes | CommandTraits.ConflictsWithExclusiveAccess |
        CommandTraits.ConflictsWithWriteExclusive;

    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<DiskUnit>("SYNCHRONIZE CACHE(10)", "35 06 FF FF FF FF 1F FF FF 00", Traits, Execute),
        CommandRow.For<DiskUnit>(
            "SYNCHRONIZE CACHE(16)", "91 06 FF FF FF FF FF FF FF FF FF FF FF FF 1F 00", Traits, Execute),
    ];

    // NUMBER OF LOGICAL BLOCKS is not a transfer: no limit holds for it, and zero reaches to the end.
    private static ValueTask Execute(DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation) =>
        unit.Holds(BlockRange.Decode(task.Cdb))
            ? unit.Device.FlushAsync(cancellation)
            : unit.Refuse(task, SenseCode.LogicalBlockAddressOutOfRange);
}
