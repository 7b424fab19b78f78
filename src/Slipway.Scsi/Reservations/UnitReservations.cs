namespace Slipway.Scsi.Reservations;

/// <summary>The reservations of one unit: the persistent ones, and the one of RESERVE (SPC-2 §5.5.1), which a nexus loss ends.</summary>
internal sealed class UnitReservations
{
    private readonly IReservationStore? _store;
    private readonly RangeLock _turns = new();
    private volatile ReservationState _state;
    private UnitNexus? _reservedBy;

    public UnitReservations(IReservationStore? store)
    {
        _store = store;
        _state = store?.Load() ?? ReservationState.Empty;
    }

    public ReservationState State => _state;

    public bool CanPersist => _store is not null;

    public UnitNexus? ReservedBy => Volatile.Read(ref _reservedBy);

    /// <summary>One PERSISTENT RESERVE OUT at a time.</summary>
    public ValueTask<RangeLock.Hold> TakeTurnAsync(CancellationToken cancellation) =>
        _turns.EnterAloneAsync(cancellation);

    /// <summary>Makes a state the unit's own, once it is saved where it must be. The caller has the turn.</summary>
    public async ValueTask SetAsync(ReservationState state, CancellationToken cancellation)
    {
        var kept = state.SurvivesPowerLoss ? state : ReservationState.Empty;
        if (_store is not null && (state.SurvivesPowerLoss || _state.SurvivesPowerLoss))
            await _store.SaveAsync(kept, cancellation);
        _state = state;
    }

    public bool TryReserve(UnitNexus nexus)
    {
        var holder = Interlocked.CompareExchange(ref _reservedBy, nexus, null);
        return holder is null || holder == nexus;
    }

    public void Release(UnitNexus nexus) => Interlocked.CompareExchange(ref _reservedBy, null, nexus);

    /// <summary>A logical unit reset ends RESERVE and leaves persistent reservations alone (SPC-4 §5.12.6).</summary>
    public void Reset() => Volatile.Write(ref _reservedBy, null);
}
