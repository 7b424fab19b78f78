namespace Slipway.Scsi.Reservations;

/// <summary>The service actions that make, change and move registrations (SPC-4 §5.12.7, §5.12.8).</summary>
internal static class Registering
{
    /// <summary>A registration takes memory and, with APTPL, space; no cluster comes near.</summary>
    private const int MaxRegistrations = 256;

    public static ReservationDecision Register(ReservationRequest request)
    {
        // SPC-4 §5.12.7: an unregistered nexus registers with a key of zero, a registered one with its own.
        return request.Key == (request.Own?.Key ?? 0) ? RegisterAndIgnore(request) : ReservationDecision.Conflict;
    }

    public static ReservationDecision RegisterAndIgnore(ReservationRequest request)
    {
        var (state, initiatorPort) = (request.State, request.Nexus.InitiatorPort);
        if (request.ServiceActionKey == 0)
        {
            // A nexus that is not registered changes nothing with a key of zero, by no other port of the target either.
            if (request.Own is null)
                return new ReservationDecision(state);
            var leaving = request.TargetPorts.Select(port => state.Find(initiatorPort, port)).OfType<Registration>().ToList();
            return Unregister(state, leaving, request.SurvivesPowerLoss);
        }

        var next = state;
        foreach (var port in request.TargetPorts)
            next = Put(next, new Registration(initiatorPort, port, request.ServiceActionKey), request.SurvivesPowerLoss);
        return Bounded(next with { Generation = state.Generation + 1 });
    }

    public static ReservationDecision RegisterAndMove(ReservationRequest request)
    {
        const int keyField = 8;
        const int transportIdField = 24;
        var (state, own) = (request.State, request.Own);
        if (own is null || own.Key != request.Key || !state.IsHolder(own))
            return ReservationDecision.Conflict;

        // SPC-4 §5.12.8: not where all registrants hold it, not with a key of zero, not to the sender itself.
        if (state.Type.IsHeldByAll())
            return ReservationDecision.Conflict;
        if (request.ServiceActionKey == 0)
            return Wrong(keyField);
        if (request.Destination is not { } port || (port.InitiatorPort == own.InitiatorPort && port.RelativeTargetPort == own.RelativeTargetPort))
            return Wrong(transportIdField);

        var moved = new Registration(port.InitiatorPort, port.RelativeTargetPort, request.ServiceActionKey);
        var next = Put(state, moved, request.SurvivesPowerLoss);
        next = next.Reserve(moved, state.Type);
        if (request.Unregisters)
            next = next.Remove(r => r == own);
        return Bounded(next with { Generation = state.Generation + 1 });
    }

    private static ReservationState Put(ReservationState state, Registration registration, bool survivesPowerLoss) =>
        state.Find(registration.InitiatorPort, registration.RelativeTargetPort) is { } present
            ? state.Replace(present, registration, survivesPowerLoss)
            : state.Add(registration, survivesPowerLoss);

    private static ReservationDecision Bounded(ReservationState next) => next.Registrations.Length <= MaxRegistrations
        ? new ReservationDecision(next)
        : ReservationDecision.Refuse(SenseCode.InsufficientRegistrationResources);

    // SPC-4 §5.12.11.2.3: the others learn of a reservation's end where they had a part in it.
    private static ReservationDecision Unregister(ReservationState state, List<Registration> leaving, bool survivesPowerLoss)
    {
        var next = state.Remove(leaving.Contains) with { Generation = state.Generation + 1, SurvivesPowerLoss = survivesPowerLoss };
        var decision = new ReservationDecision(next);
        return state.Type.AdmitsRegistrants() && next.Type == ReservationType.None
            ? decision.Tell(next.Registrations, SenseCode.ReservationsReleased)
            : decision;
    }

    private static ReservationDecision Wrong(int field) =>
        ReservationDecision.Refuse(SenseCode.InvalidFieldInParameterList, SenseKeySpecific.InParameterList(field));
}
