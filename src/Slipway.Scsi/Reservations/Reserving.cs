namespace Slipway.Scsi.Reservations;

/// <summary>The service actions of registered nexuses on the reservation itself (SPC-4 §5.12.9 to §5.12.11).</summary>
internal static class Reserving
{
    private const int TypeField = 2;
    private const int ServiceActionKeyField = 8;

    public static ReservationDecision Reserve(ReservationRequest request)
    {
        if (!TryAdmit(request, out var own))
            return ReservationDecision.Conflict;
        if (!ReservationTypes.TryParse(request.Type, out var type))
            return WrongType;
        var state = request.State;
        if (state.Type == ReservationType.None)
            return new ReservationDecision(state.Reserve(own, type));

        // SPC-4 §5.12.9: the holder may repeat itself, and change nothing.
        return state.IsHolder(own) && state.Type == type ? new ReservationDecision(state) : ReservationDecision.Conflict;
    }

    public static ReservationDecision Release(ReservationRequest request)
    {
        if (!TryAdmit(request, out var own))
            return ReservationDecision.Conflict;
        var state = request.State;

        // SPC-4 §5.12.11.2.2: what is not held is released without an error.
        if (!state.IsHolder(own))
            return new ReservationDecision(state);
        if (request.Type != (byte)state.Type)
            return ReservationDecision.Refuse(SenseCode.InvalidReleaseOfPersistentReservation);
        var decision = new ReservationDecision(state.Release());
        return state.Type.AdmitsRegistrants()
            ? decision.Tell(state.Registrations.Where(r => r != own), SenseCode.ReservationsReleased)
            : decision;
    }

    public static ReservationDecision Clear(ReservationRequest request)
    {
        if (!TryAdmit(request, out var own))
            return ReservationDecision.Conflict;
        var state = request.State;
        return new ReservationDecision(ReservationState.Empty with { Generation = state.Generation + 1 })
            .Tell(state.Registrations.Where(r => r != own), SenseCode.ReservationsPreempted);
    }

    /// <summary>SPC-4 §5.12.11.2.4.</summary>
    public static ReservationDecision Preempt(ReservationRequest request)
    {
        if (!TryAdmit(request, out var own))
            return ReservationDecision.Conflict;
        var state = request.State;
        var victim = request.ServiceActionKey;
        var takesReservation = state.Type.IsHeldByAll() ? victim == 0 : state.Holder is { } holder && holder.Key == victim;
        if (takesReservation)
        {
            return ReservationTypes.TryParse(request.Type, out var type)
                ? TakeReservation(state, own, type, victim)
                : WrongType;
        }

        if (victim == 0)
        {
            return ReservationDecision.Refuse(
                SenseCode.InvalidFieldInParameterList, SenseKeySpecific.InParameterList(ServiceActionKeyField));
        }

        var removed = state.Registrations.Where(r => r.Key == victim).ToList();
        if (removed.Count == 0)
            return ReservationDecision.Conflict;
        var next = state.Remove(r => r.Key == victim) with { Generation = state.Generation + 1 };
        return new ReservationDecision(next).Tell(removed.Where(r => r != own), SenseCode.RegistrationsPreempted);
    }

    private static ReservationDecision TakeReservation(
        ReservationState state, Registration own, ReservationType type, ulong victim)
    {
        var removed = state.Registrations.Where(r => r != own && (victim == 0 || r.Key == victim)).ToList();
        var next = state.Remove(removed.Contains).Reserve(own, type) with { Generation = state.Generation + 1 };
        var decision = new ReservationDecision(next).Tell(removed, SenseCode.RegistrationsPreempted);

        // Who stays registered learns that the reservation is of another type.
        return type == state.Type
            ? decision
            : decision.Tell(next.Registrations.Where(r => r != own), SenseCode.ReservationsReleased);
    }

    // SPC-4 §5.12.9: an unregistered nexus, or a wrong key, is a conflict.
    private static bool TryAdmit(ReservationRequest request, out Registration own)
    {
        own = request.Own!;
        return request.Own is not null && request.Own.Key == request.Key;
    }

    private static ReservationDecision WrongType =>
        ReservationDecision.Refuse(SenseCode.InvalidFieldInCdb, SenseKeySpecific.InCdb(TypeField, 3));
}
