namespace Slipway.Scsi.Reservations;

/// <summary>Keeps what an initiator registered with APTPL across restarts (SPC-4 §5.12.5), one unit's worth.</summary>
public interface IReservationStore
{
    /// <summary>What was saved last; null where there was nothing.</summary>
    ReservationState? Load();

    /// <summary>Returns when the state is on the medium. <see cref="ReservationState.Empty"/> where nothing is to be kept.</summary>
    ValueTask SaveAsync(ReservationState state, CancellationToken cancellation);
}
