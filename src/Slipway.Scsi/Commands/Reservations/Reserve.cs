namespace Slipway.Scsi.Commands.Reservations;

/// <summary>RESERVE and RELEASE (SPC-2 §7.16 to §7.21), of whole units, for the nexus that asks.</summary>
internal static class Reserve
{
    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<DiskUnit>("RESERVE(6)", "16 00 00 00 00 00", CommandTraits.None, Execute),
        CommandRow.For<DiskUnit>("RESERVE(10)", "56 00 00 00 00 00 00 00 00 00", CommandTraits.None, Execute),
        CommandRow.For<DiskUnit>("RELEASE(6)", "17 00 00 00 00 00", CommandTraits.PassesReserve, ExecuteRelease),
        CommandRow.For<DiskUnit>(
            "RELEASE(10)", "57 00 00 00 00 00 00 00 00 00", CommandTraits.PassesReserve, ExecuteRelease),
    ];

    private static ValueTask Execute(DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        // SPC-4 §5.12.3: the two kinds of reservation exclude each other (CRH is zero).
        if (!unit.Reservations.State.Registrations.IsEmpty || !unit.Reservations.TryReserve(nexus))
            task.Status = ScsiStatus.ReservationConflict;
        return default;
    }

    // SPC-2 §7.16: releasing what another holds, or nobody, does nothing and is no error.
    private static ValueTask ExecuteRelease(DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        if (unit.Reservations.State.Registrations.IsEmpty)
            unit.Reservations.Release(nexus);
        else
            task.Status = ScsiStatus.ReservationConflict;
        return default;
    }
}
