using System.Buffers.Binary;
using Slipway.Scsi.Reservations;

namespace Slipway.Scsi.Commands.Reservations;

/// <summary>PERSISTENT RESERVE OUT (SPC-4 §6.16). SPEC_I_PT is refused, as REPORT CAPABILITIES says.</summary>
internal static class PersistentReserveOut
{
    private const int BasicLength = 24;
    private const byte SpecifyInitiatorPorts = 0x08;
    private const byte AllTargetPorts = 0x04;
    private const byte Aptpl = 0x01;

    public static readonly CommandRow[] Rows =
    [
        Row("REGISTER", 0x00, Registering.Register),
        Row("RESERVE", 0x01, Reserving.Reserve),
        Row("RELEASE", 0x02, Reserving.Release),
        Row("CLEAR", 0x03, Reserving.Clear),
        Row("PREEMPT", 0x04, Reserving.Preempt),
        Row("PREEMPT AND ABORT", 0x05, Reserving.Preempt, aborts: true),
        Row("REGISTER AND IGNORE EXISTING KEY", 0x06, Registering.RegisterAndIgnore),
        Row("REGISTER AND MOVE", 0x07, Registering.RegisterAndMove, moves: true),
    ];

    private static CommandRow Row(
        string name, byte serviceAction, Func<ReservationRequest, ReservationDecision> decide, bool aborts = false, bool moves = false) =>
        CommandRow.For<DiskUnit>(
            $"PERSISTENT RESERVE OUT, {name}", $"5F {serviceAction:X2} FF 00 00 FF FF FF FF 00", CommandTraits.TakesData | CommandTraits.Flushes | CommandTraits.ConflictsWithReserve,
            (unit, nexus, task, cancellation) => TryRead(unit, nexus.Port.Target.Ports, task, moves, out var request)
                ? RunAsync(unit, nexus, task, request, decide, aborts, cancellation)
                : default,
            serviceAction);

    // What the parameter list says; the state is looked at when the command has its turn.
    private static bool TryRead(DiskUnit unit, int ports, ScsiTask task, bool moves, out ReservationRequest request)
    {
        request = null!;
        var length = BinaryPrimitives.ReadUInt32BigEndian(task.Cdb[5..]);
        task.TransferLength = length;
        if (length < BasicLength || task.DataOut.Length < length)
            return unit.Deny(task, SenseCode.ParameterListLengthError);
        var list = task.DataOut.Span[..(int)length];
        var flags = list[moves ? 17 : 20];

        // SPC-4 §6.16.3: with SPEC_I_PT the list is longer.
        if (!moves && (flags & SpecifyInitiatorPorts) != 0)
            return DenyField(unit, task, 20);
        if (!moves && length != BasicLength)
            return unit.Deny(task, SenseCode.ParameterListLengthError);

        // SCOPE: whole units only. SPC-4 §6.16.2: like TYPE it is ignored where nothing is reserved or released.
        if (task.Cdb[2] >> 4 != 0 && (task.Cdb[1] & 0x1F) is 0x01 or 0x02 or 0x04 or 0x05)
            return unit.Deny(task, SenseCode.InvalidFieldInCdb, SenseKeySpecific.InCdb(2, 7));

        // SPC-4 §6.16.3: ALL_TG_PT and APTPL count where something is registered.
        var registers = (task.Cdb[1] & 0x1F) is 0x00 or 0x06;
        var aptpl = (registers || moves) && (flags & Aptpl) != 0;
        if (aptpl && !unit.Reservations.CanPersist)
            return DenyField(unit, task, moves ? 17 : 20);
        request = new ReservationRequest(
            ReservationState.Empty, task.Nexus, null, BinaryPrimitives.ReadUInt64BigEndian(list),
            BinaryPrimitives.ReadUInt64BigEndian(list[8..]), (byte)(task.Cdb[2] & 0x0F), aptpl);
        if (registers && (flags & AllTargetPorts) != 0)
            request = request with { TargetPorts = [.. Enumerable.Range(1, ports).Select(port => (ushort)port)] };
        if (!moves)
            return true;

        // SPC-4 §6.16.4
        if (BinaryPrimitives.ReadUInt32BigEndian(list[20..]) != list.Length - BasicLength)
            return unit.Deny(task, SenseCode.ParameterListLengthError);
        var targetPort = BinaryPrimitives.ReadUInt16BigEndian(list[18..]);
        if (targetPort == 0 || targetPort > ports)
            return DenyField(unit, task, 18);
        if (!TransportId.TryRead(list[BasicLength..], out var port))
            return DenyField(unit, task, BasicLength);
        request = request with
        {
            Destination = (port, targetPort),
            Unregisters = (flags & 0x02) != 0,
        };
        return true;
    }

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

    private static bool DenyField(DiskUnit unit, ScsiTask task, int field) =>
        unit.Deny(task, SenseCode.InvalidFieldInParameterList, SenseKeySpecific.InParameterList(field));
}
