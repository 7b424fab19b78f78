using System.Buffers.Binary;
using Slipway.Scsi.Reservations;

namespace Slipway.Scsi.Commands.Reservations;

/// <summary>The parameter lists of PERSISTENT RESERVE OUT: the basic one (SPC-4 §6.16.3), and that of REGISTER AND MOVE (SPC-4 §6.16.4).</summary>
internal static class ReservationParameterList
{
    private const int BasicLength = 24;
    private const int BasicFlagsField = 20;
    private const int MoveFlagsField = 17;
    private const int TargetPortField = 18;
    private const byte SpecifyInitiatorPorts = 0x08;
    private const byte AllTargetPorts = 0x04;
    private const byte Unregister = 0x02;
    private const byte Aptpl = 0x01;

    /// <summary>What the command asks for, of whatever state the unit is in; false when <paramref name="task"/> has been refused.</summary>
    public static bool TryRead(DiskUnit unit, UnitNexus nexus, ScsiTask task, ReservationAction action, out ReservationRequest request)
    {
        request = null!;
        var length = BinaryPrimitives.ReadUInt32BigEndian(task.Cdb[5..]);
        task.TransferLength = length;
        if (length < BasicLength || task.DataOut.Length < length)
            return unit.Deny(task, SenseCode.ParameterListLengthError);
        var list = task.DataOut.Span[..(int)length];
        return action == ReservationAction.RegisterAndMove
            ? TryReadMove(unit, nexus, task, list, out request)
            : TryReadBasic(unit, nexus, task, action, list, out request);
    }

    private static bool TryReadBasic(
        DiskUnit unit, UnitNexus nexus, ScsiTask task, ReservationAction action, ReadOnlySpan<byte> list, out ReservationRequest request)
    {
        request = null!;
        var flags = list[BasicFlagsField];

        // With SPEC_I_PT the list is longer.
        if ((flags & SpecifyInitiatorPorts) != 0)
            return unit.DenyParameter(task, BasicFlagsField);
        if (list.Length != BasicLength)
            return unit.Deny(task, SenseCode.ParameterListLengthError);

        // SCOPE: whole units only. SPC-4 §6.16.2: like TYPE it is ignored where nothing is reserved or released.
        if (task.Cdb[2] >> 4 != 0 && action is ReservationAction.Reserve or ReservationAction.Release or ReservationAction.Preempt or ReservationAction.PreemptAndAbort)
            return unit.DenyField(task, 2, 7);

        // ALL_TG_PT and APTPL count where something is registered.
        var registers = action is ReservationAction.Register or ReservationAction.RegisterAndIgnoreExistingKey;
        var survivesPowerLoss = registers && (flags & Aptpl) != 0;
        if (survivesPowerLoss && !unit.Reservations.CanPersist)
            return unit.DenyParameter(task, BasicFlagsField);
        request = Read(nexus, task, list, survivesPowerLoss);
        if (registers && (flags & AllTargetPorts) != 0)
            request = request with { TargetPorts = [.. Enumerable.Range(1, nexus.Port.Target.Ports).Select(port => (ushort)port)] };
        return true;
    }

    private static bool TryReadMove(DiskUnit unit, UnitNexus nexus, ScsiTask task, ReadOnlySpan<byte> list, out ReservationRequest request)
    {
        request = null!;
        var flags = list[MoveFlagsField];
        var survivesPowerLoss = (flags & Aptpl) != 0;
        if (survivesPowerLoss && !unit.Reservations.CanPersist)
            return unit.DenyParameter(task, MoveFlagsField);
        if (BinaryPrimitives.ReadUInt32BigEndian(list[20..]) != list.Length - BasicLength)
            return unit.Deny(task, SenseCode.ParameterListLengthError);
        var targetPort = BinaryPrimitives.ReadUInt16BigEndian(list[TargetPortField..]);
        if (targetPort == 0 || targetPort > nexus.Port.Target.Ports)
            return unit.DenyParameter(task, TargetPortField);
        if (!TransportId.TryRead(list[BasicLength..], out var initiatorPort))
            return unit.DenyParameter(task, BasicLength);
        request = Read(nexus, task, list, survivesPowerLoss) with
        {
            Destination = (initiatorPort, targetPort),
            Unregisters = (flags & Unregister) != 0,
        };
        return true;
    }

    private static ReservationRequest Read(UnitNexus nexus, ScsiTask task, ReadOnlySpan<byte> list, bool survivesPowerLoss) => new(
        nexus.Port, BinaryPrimitives.ReadUInt64BigEndian(list), BinaryPrimitives.ReadUInt64BigEndian(list[8..]), (byte)(task.Cdb[2] & 0x0F),
        survivesPowerLoss);
}
