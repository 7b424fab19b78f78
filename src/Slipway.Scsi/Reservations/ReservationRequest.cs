namespace Slipway.Scsi.Reservations;

/// <summary>A PERSISTENT RESERVE OUT, decoded, with what the unit knows of its sender.</summary>
/// <param name="Type">The TYPE field of the CDB as it came.</param>
/// <param name="SurvivesPowerLoss">APTPL.</param>
internal sealed record ReservationRequest(Nexus Nexus, ulong Key, ulong ServiceActionKey, byte Type, bool SurvivesPowerLoss)
{
    /// <summary>The unit's when the command has its turn.</summary>
    public ReservationState State { get; init; } = ReservationState.Empty;

    /// <summary>The sender's registration in it, if it has one.</summary>
    public Registration? Own { get; init; }

    /// <summary>By which target ports the sender's initiator port is registered: its own, or with ALL_TG_PT every one (SPC-4 §6.16.3).</summary>
    public IReadOnlyList<ushort> TargetPorts { get; init; } = [Nexus.RelativeTargetPort];

    /// <summary>REGISTER AND MOVE: the port that the registration moves to.</summary>
    public (string InitiatorPort, ushort RelativeTargetPort)? Destination { get; init; }

    /// <summary>REGISTER AND MOVE: UNREG.</summary>
    public bool Unregisters { get; init; }
}

/// <summary>What becomes of a request: a conflict, a refusal, or the next state and who has to hear of it.</summary>
internal sealed record ReservationDecision(ReservationState? Next, SenseCode Refusal = default, SenseKeySpecific Field = default)
{
    public static ReservationDecision Conflict { get; } = new((ReservationState?)null);

    public IReadOnlyList<(Registration Whom, SenseCode What)> News { get; init; } = [];

    public static ReservationDecision Refuse(SenseCode code, SenseKeySpecific field = default) => new(null, code, field);

    public ReservationDecision Tell(IEnumerable<Registration> whom, SenseCode what) =>
        this with { News = [.. News, .. whom.Select(w => (w, what))] };
}
