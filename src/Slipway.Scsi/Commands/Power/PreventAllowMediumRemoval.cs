namespace Slipway.Scsi.Commands.Power;

/// <summary>
/// PREVENT ALLOW MEDIUM REMOVAL (SBC-3 §5.10). Each nexus prevents for itself, and a reset or its loss ends that. A medium
/// that cannot be removed needs no prevention.
/// </summary>
internal static class PreventAllowMediumRemoval
{
    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<BlockUnit>("PREVENT ALLOW MEDIUM REMOVAL", "1E 00 00 00 01 00", CommandTraits.None, Execute),
    ];

    private static ValueTask Execute(BlockUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        if (task.Cdb[4] != 0 && !unit.MayControl(nexus))
            task.Status = ScsiStatus.ReservationConflict;
        else if (task.Cdb[4] != 0)
            unit.Medium?.Prevent(nexus);
        else
            unit.Medium?.Allow(nexus);
        return default;
    }
}
