using System.Buffers.Binary;
using Slipway.Scsi.Reservations;

namespace Slipway.Scsi.Commands.Reservations;

/// <summary>PERSISTENT RESERVE IN (SPC-4 §6.15).</summary>
internal static class PersistentReserveIn
{
    private const int HeaderLength = 8;

    public static readonly CommandRow[] Rows =
    [
        Row("READ KEYS", 0x00, ReadKeys),
        Row("READ RESERVATION", 0x01, ReadReservation),
        Row("REPORT CAPABILITIES", 0x02, ReportCapabilities),
        Row("READ FULL STATUS", 0x03, ReadFullStatus),
    ];

    private delegate ReadOnlySpan<byte> Report(UnitReservations reservations);

    private static CommandRow Row(string name, byte serviceAction, Report report) => CommandRow.For<DiskUnit>(
        $"PERSISTENT RESERVE IN, {name}", $"5E {serviceAction:X2} 00 00 00 00 00 FF FF 00", CommandTraits.ConflictsWithReserve,
        (unit, _, task, _) => task.Answer(
            report(unit.Reservations), BinaryPrimitives.ReadUInt16BigEndian(task.Cdb[7..])),
        serviceAction);

    private static ReadOnlySpan<byte> ReadKeys(UnitReservations reservations)
    {
        var state = reservations.State;
        var data = Begin(state, 8 * state.Registrations.Length);
        for (var i = 0; i < state.Registrations.Length; i++)
            BinaryPrimitives.WriteUInt64BigEndian(data.AsSpan(HeaderLength + 8 * i), state.Registrations[i].Key);
        return data;
    }

    private static ReadOnlySpan<byte> ReadReservation(UnitReservations reservations)
    {
        var state = reservations.State;
        if (state.Type == ReservationType.None)
            return Begin(state, 0);
        var data = Begin(state, 16);

        // SPC-4 §6.15.3.2: the key is zero where all registrants hold the reservation.
        BinaryPrimitives.WriteUInt64BigEndian(data.AsSpan(HeaderLength), state.Holder?.Key ?? 0);
        data[HeaderLength + 13] = (byte)state.Type;
        return data;
    }

    // SPC-4 §6.15.4: ATP_C; TMV with all six types; no SIP_C, CRH.
    private static ReadOnlySpan<byte> ReportCapabilities(UnitReservations reservations)
    {
        var capabilities = (byte)(0x04 | (reservations.CanPersist ? 1 : 0)); // ATP_C, PTPL_C
        var isActive = (byte)(reservations.State.SurvivesPowerLoss ? 1 : 0);
        return new byte[] { 0, 8, capabilities, (byte)(0x80 | isActive), 0xEA, 0x01, 0, 0 };
    }

    // SPC-4 §6.15.5
    private static ReadOnlySpan<byte> ReadFullStatus(UnitReservations reservations)
    {
        const int fixedPart = 24;
        var state = reservations.State;
        var data = Begin(state, state.Registrations.Sum(r => fixedPart + TransportId.Length(r.InitiatorPort)));
        var left = data.AsSpan(HeaderLength);
        foreach (var registration in state.Registrations)
        {
            BinaryPrimitives.WriteUInt64BigEndian(left, registration.Key);
            if (state.IsHolder(registration))
            {
                left[12] = 0x01; // R_HOLDER
                left[13] = (byte)state.Type;
            }

            BinaryPrimitives.WriteUInt16BigEndian(left[18..], registration.RelativeTargetPort);
            var length = TransportId.Write(registration.InitiatorPort, left[fixedPart..]);
            BinaryPrimitives.WriteInt32BigEndian(left[20..], length);
            left = left[(fixedPart + length)..];
        }

        return data;
    }

    private static byte[] Begin(ReservationState state, int length)
    {
        var data = new byte[HeaderLength + length];
        BinaryPrimitives.WriteUInt32BigEndian(data, state.Generation);
        BinaryPrimitives.WriteInt32BigEndian(data.AsSpan(4), length);
        return data;
    }
}
