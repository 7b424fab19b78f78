namespace Slipway.Scsi.Reservations;

/// <summary>SPC-4 §6.15.3.4.</summary>
public enum ReservationType : byte
{
    None = 0,
    WriteExclusive = 1,
    ExclusiveAccess = 3,
    WriteExclusiveRegistrantsOnly = 5,
    ExclusiveAccessRegistrantsOnly = 6,
    WriteExclusiveAllRegistrants = 7,
    ExclusiveAccessAllRegistrants = 8,
}

internal static class ReservationTypes
{
    public static bool TryParse(int code, out ReservationType type)
    {
        type = (ReservationType)code;
        return type != ReservationType.None && Enum.IsDefined(type);
    }

    /// <summary>Every registered nexus holds the reservation.</summary>
    public static bool IsHeldByAll(this ReservationType type) =>
        type is ReservationType.WriteExclusiveAllRegistrants or ReservationType.ExclusiveAccessAllRegistrants;

    /// <summary>Every registered nexus has access.</summary>
    public static bool AdmitsRegistrants(this ReservationType type) => type.IsHeldByAll() ||
        type is ReservationType.WriteExclusiveRegistrantsOnly or ReservationType.ExclusiveAccessRegistrantsOnly;

    public static bool AdmitsReaders(this ReservationType type) => type is ReservationType.WriteExclusive
        or ReservationType.WriteExclusiveRegistrantsOnly or ReservationType.WriteExclusiveAllRegistrants;
}
