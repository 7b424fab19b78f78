using System.Collections.Immutable;

namespace Slipway.Scsi.Reservations;

/// <summary>
/// The persistent reservations of one unit at one moment. It never changes: a PERSISTENT RESERVE OUT makes the next one,
/// so the check before each command reads it without a lock.
/// </summary>
/// <param name="Holder">Who holds the reservation; null where there is none or where all registrants hold it.</param>
/// <param name="SurvivesPowerLoss">APTPL of the last registration (SPC-4 §5.12.5).</param>
public sealed record ReservationState(
    ImmutableArray<Registration> Registrations, ReservationType Type, Registration? Holder, bool SurvivesPowerLoss)
{
    public static ReservationState Empty { get; } = new([], ReservationType.None, null, false);

    /// <summary>PRGENERATION (SPC-4 §6.15.2): changes of registrations since the unit started.</summary>
    internal uint Generation { get; init; }

    internal Registration? Find(Nexus nexus) => Find(nexus.InitiatorPort, nexus.RelativeTargetPort);

    internal Registration? Find(string initiatorPort, ushort relativeTargetPort)
    {
        foreach (var registration in Registrations)
        {
            if (registration.RelativeTargetPort == relativeTargetPort && registration.InitiatorPort == initiatorPort)
                return registration;
        }

        return null;
    }

    internal bool IsHolder(Registration? registration) =>
        registration is not null && (Type.IsHeldByAll() || (Type != ReservationType.None && registration == Holder));

    /// <summary>SPC-4 §5.12.1.</summary>
    internal bool Conflicts(Nexus nexus, bool withWriteExclusive, bool withExclusiveAccess)
    {
        if (Type == ReservationType.None || !(Type.AdmitsReaders() ? withWriteExclusive : withExclusiveAccess))
            return false;
        var registration = Find(nexus);
        return registration is null || !(Type.AdmitsRegistrants() || IsHolder(registration));
    }

    internal ReservationState Add(Registration registration, bool survivesPowerLoss) => this with
    {
        Registrations = Registrations.Add(registration),
        SurvivesPowerLoss = survivesPowerLoss,
    };

    internal ReservationState Replace(Registration old, Registration registration, bool survivesPowerLoss) => this with
    {
        Registrations = Registrations.Replace(old, registration),
        Holder = Holder == old ? registration : Holder,
        SurvivesPowerLoss = survivesPowerLoss,
    };

    /// <summary>SPC-4 §5.12.11.2.3: with its holder, or the last of all holders, a reservation goes too.</summary>
    internal ReservationState Remove(Predicate<Registration> whose)
    {
        var left = Registrations.RemoveAll(whose);
        var isReleased = Type.IsHeldByAll() ? left.IsEmpty : Holder is not null && !left.Contains(Holder);
        var state = this with { Registrations = left };
        return isReleased ? state.Release() : state;
    }

    internal ReservationState Reserve(Registration registration, ReservationType type) =>
        this with { Type = type, Holder = type.IsHeldByAll() ? null : registration };

    internal ReservationState Release() => this with { Type = ReservationType.None, Holder = null };
}
