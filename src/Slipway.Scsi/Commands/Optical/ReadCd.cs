using System.Buffers.Binary;
using Slipway.Scsi.Commands.Medium;

namespace Slipway.Scsi.Commands.Optical;

/// <summary>
/// READ CD and READ CD MSF (MMC-6 §6.20, §6.21), user data of mode 1 blocks. An image holds no sync, headers, error
/// correction and subchannels, so these are refused.
/// </summary>
internal static class ReadCd
{
    private const int UserData = 0x10;
    private const int Mode1 = 2;

    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<CdRomUnit>("READ CD", "BE 1E FF FF FF FF FF FF FF FE 07 00", CommandTraits.ReadsMedium, Execute),
        CommandRow.For<CdRomUnit>("READ CD MSF", "B9 1E 00 FF FF FF FF FF FF FE 07 00", CommandTraits.ReadsMedium, ExecuteTimes),
    ];

    private static ValueTask Execute(CdRomUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        var cdb = task.Cdb;
        var range = new BlockRange(
            BinaryPrimitives.ReadUInt32BigEndian(cdb[2..]), BinaryPrimitives.ReadUInt32BigEndian(cdb[5..]) & 0xFF_FFFF);
        return Execute(unit, task, range, cancellation);
    }

    // From a minute, second and frame to before another.
    private static ValueTask ExecuteTimes(CdRomUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        if (!DiscAddress.TryRead(task.Cdb[3..], out var start))
            return unit.RefuseField(task, 3);
        if (!DiscAddress.TryRead(task.Cdb[6..], out var end) || end < start)
            return unit.RefuseField(task, 6);
        return Execute(unit, task, new(start, end - start), cancellation);
    }

    private static ValueTask Execute(
        CdRomUnit unit, ScsiTask task, BlockRange range, CancellationToken cancellation)
    {
        var cdb = task.Cdb;
        if (!unit.Holds(range))
            return unit.Refuse(task, SenseCode.LogicalBlockAddressOutOfRange);
        if (range.Blocks > unit.Limits.Transfer)
            return unit.RefuseField(task, 6);

        // EXPECTED SECTOR TYPE: any, or mode 1.
        var expected = (cdb[1] >> 2) & 7;
        if (expected is not (0 or Mode1))
            return unit.Refuse(task, SenseCode.IllegalModeForThisTrack);
        if (cdb[9] is not (0 or UserData))
            return unit.RefuseField(task, 9, 7);
        if (cdb[10] != 0)
            return unit.RefuseField(task, 10, 2);
        if (cdb[9] == 0)
            return default;
        return Read.Execute(unit, task, range, fromMedium: false, cancellation);
    }
}
