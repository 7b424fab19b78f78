using Slipway.Scsi.Reservations;

namespace Slipway.Scsi.Commands.Reservations;

/// <summary>PERSISTENT RESERVE OUT (SPC-4 §6.16). SPEC_I_PT is refused, as REPORT CAPABILITIES says.</summary>
internal static class PersistentReserveOut
{
    public static readonly CommandRow[] Rows =
    [
        Row("REGISTER", ReservationAction.Register, Registering.Register),
        Row("RESERVE", ReservationAction.Reserve, Reserving.Reserve),
        Row("RELEASE", ReservationAction.Release, Reserving.Release),
        Row("CLEAR", ReservationAction.Clear, Reserving.Clear),
        Row("PREEMPT", ReservationAction.Preempt, Reserving.Preempt),
        Row("PREEMPT AND ABORT", ReservationAction.PreemptAndAbort, Reserving.Preempt),
        Row("REGISTER AND IGNORE EXISTING KEY", ReservationAction.RegisterAndIgnoreExistingKey, Registering.RegisterAndIgnore),
        Row("REGISTER AND MOVE", ReservationAction.RegisterAndMove, Registering.RegisterAndMove),
    ];

    private const CommandTraits Traits = CommandTraits.TakesData | CommandTraits.Flushes | CommandTraits.ConflictsWithReserve;

    private static CommandRow Row(string name, ReservationAction action, Func<ReservationRequest, ReservationDecision> decide) => CommandRow.For<DiskUnit>(
        $"PERSISTENT RESERVE OUT, {name}", $"5F {(byte)action:X2} FF 00 00 FF FF FF FF 00", Traits,
        (unit, nexus, task, cancellation) => ReservationParameterList.TryRead(unit, nexus, task, action, out var request)
            ? RunAsync(unit, nexus, task, request, decide, aborts: action == ReservationAction.PreemptAndAbort, cancellation)
            : default,
        (byte)action);

    private static async ValueTask RunAsync(
        DiskUnit unit, UnitNexus nexus, ScsiTask task, ReservationRequest request,
        Func<ReservationRequest, ReservationDecision> decide, bool aborts, CancellationToken cancellation)
    {
        var abandonment = aborts ? task.Abandonment : null;
        Registration[] preempted;
        using (await unit.Reservations.TakeTurnAsync(cancellation))
        {
            var state = unit.Reservations.State;
            var decision = decide(request with { State = state, Own = state.Find(nexus.Port) });
            if (decision.Next is null)
            {
                if (decision.Refusal == default)
                    task.Status = ScsiStatus.ReservationConflict;
                else
                    await unit.Refuse(task, decision.Refusal, decision.Field);
                return;
            }

            preempted = [.. state.Registrations.Except(decision.Next.Registrations)];
            await unit.Reservations.SetAsync(decision.Next, cancellation);
            foreach (var (whom, what) in decision.News)
                Tell(unit, whom, what);
        }

        if (abandonment is not null)
            await PutOutAsync(unit, nexus, preempted, abandonment, cancellation);
    }

    // SPC-4 §5.12.11.2.6: when the answer leaves, no command of a preempted nexus is under way. Those that its transport did
    // not abort, as they had begun to change the medium, have ended. The command does not abort itself; two that abort each
    // other both end, and are not answered.
    private static async ValueTask PutOutAsync(
        DiskUnit unit, UnitNexus own, Registration[] preempted, Task abandonment, CancellationToken cancellation)
    {
        var victims = unit.OpenNexuses.Where(open => open != own && preempted.Any(p => p.IsOf(open.Port)));
        await Task.WhenAny(Task.WhenAll(victims.Select(victim => victim.AbortTaskSetAsync())), abandonment).WaitAsync(cancellation);
        await unit.DrainChangesAsync(cancellation);
    }

    private static void Tell(DiskUnit unit, Registration whom, SenseCode what)
    {
        foreach (var open in unit.OpenNexuses)
        {
            if (whom.IsOf(open.Port))
                open.Establish(what);
        }
    }
}
