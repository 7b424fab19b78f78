namespace Slipway.Scsi.Commands.Power;

/// <summary>START STOP UNIT (SBC-3 §5.25). There are no power conditions; LOEJ is for a medium that can be removed.</summary>
internal static class StartStopUnit
{
    private const byte Start = 0x01;
    private const byte LoadEject = 0x02;
    private const byte NoFlush = 0x04;

    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<BlockUnit>(
            "START STOP UNIT", "1B 01 00 0F F7 00", CommandTraits.Flushes, Execute),
    ];

    private static ValueTask Execute(BlockUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        var flags = task.Cdb[4];

        // SBC-3 table 13: under another's persistent reservation a unit may be started, and nothing else.
        var condition = flags >> 4;
        var stops = (flags & Start) == 0;
        if ((stops || condition != 0) && !unit.MayControl(nexus))
        {
            task.Status = ScsiStatus.ReservationConflict;
            return default;
        }

        // SBC-3 §5.25, POWER CONDITION: there is no energy to save; LOEJ and START are then not looked at.
        if (condition != 0)
            return default;
        var moves = (flags & LoadEject) != 0;
        if (moves && unit.Medium is null)
            return unit.RefuseField(task, 4, 1);

        if (moves)
            return stops ? EjectAsync(unit, task, (flags & NoFlush) == 0, cancellation) : Load(unit, nexus, task);
        if (!stops && unit.Medium is { IsEjected: true })
            return unit.Refuse(task, unit.MediumNotPresent);

        // A removable medium, like MMC's, turns again when it is needed: initiators that know how to eject it expect so.
        unit.Stopped = stops && unit.Medium is null;

        // SBC-3 §5.25: stopping writes the cache first, unless NO_FLUSH says otherwise.
        return stops && (flags & NoFlush) == 0 ? unit.Device.FlushAsync(cancellation) : default;
    }

    // What was written is on the medium before it comes out.
    private static async ValueTask EjectAsync(BlockUnit unit, ScsiTask task, bool flushes, CancellationToken cancellation)
    {
        if (flushes)
            await unit.Device.FlushAsync(cancellation);
        if (!unit.Medium!.TryEject())
            await unit.Refuse(task, SenseCode.MediumRemovalPrevented);
    }

    private static ValueTask Load(BlockUnit unit, UnitNexus nexus, ScsiTask task)
    {
        if (!unit.Medium!.TryLoad(out var wasEjected))
            return unit.Refuse(task, SenseCode.MediumRemovalPrevented);

        // Who loaded it knows.
        if (wasEjected)
            unit.EstablishForOthers(nexus, SenseCode.MediumMayHaveChanged);
        return default;
    }
}
