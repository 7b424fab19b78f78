namespace Slipway.Scsi.Reservations;

/// <summary>The service actions of PERSISTENT RESERVE OUT (SPC-4 §6.16.2).</summary>
internal enum ReservationAction : byte
{
    Register = 0x00,
    Reserve = 0x01,
    Release = 0x02,
    Clear = 0x03,
    Preempt = 0x04,
    PreemptAndAbort = 0x05,
    RegisterAndIgnoreExistingKey = 0x06,
    RegisterAndMove = 0x07,
}
