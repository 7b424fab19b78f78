namespace Slipway.Scsi.Commands.Power;

/// <summary>START STOP UNIT (SBC-3 §5.22) for a medium that cannot be removed and has no power conditions.</summary>
internal static class StartStopUnit
{
    private const byte Start = 0x01;
    private const byte LoadEject = 0x02;
    private const byte NoFlush = 0x04;

    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<DiskUnit>(
            "START STOP UNIT", "1B 01 00 0F F7 00", CommandTraits.Flushes, Execute),
    ];

    private static ValueTask Execute(DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        var flags = task.Cdb[4];

        // SBC-3 table 13, POWER CONDITION: there is no energy to save; LOEJ and START are then not looked at.
        if (flags >> 4 != 0)
            return default;
        if ((flags & LoadEject) != 0)
            return unit.RefuseField(task, 4, 1);

        // SBC-3 table 13: under another's persistent reservation a unit may be started and not stopped.
        var stops = (flags & Start) == 0;
        if (stops && unit.Reservations.State.Conflicts(nexus.Port, withWriteExclusive: true, withExclusiveAccess: true))
        {
            task.Status = ScsiStatus.ReservationConflict;
            return default;
        }

        unit.Stopped = stops;

        // SBC-3 §5.22: stopping writes the cache first, unless NO_FLUSH says otherwise.
        return stops && (flags & NoFlush) == 0 ? unit.Device.FlushAsync(cancellation) : default;
    }
}
