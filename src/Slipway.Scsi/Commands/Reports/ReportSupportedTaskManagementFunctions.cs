using System.Buffers.Binary;

namespace Slipway.Scsi.Commands.Reports;

/// <summary>REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS (SPC-4 §6.36): what <see cref="TargetDevice.Manage"/> does.</summary>
internal static class ReportSupportedTaskManagementFunctions
{
    // ABORT TASK, ABORT TASK SET, CLEAR TASK SET, LOGICAL UNIT RESET; and TARGET RESET, which iSCSI still has.
    private const byte Functions = 0x80 | 0x40 | 0x10 | 0x08 | 0x02;

    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<BlockUnit>(
            "REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS", "A3 0D 80 00 00 00 FF FF FF FF 00 00",
            CommandTraits.ConflictsWithExclusiveAccess, Execute, 0x0D),
    ];

    private static ValueTask Execute(BlockUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        var allocation = BinaryPrimitives.ReadUInt32BigEndian(task.Cdb[6..]);
        if (allocation < 4)
            return unit.RefuseField(task, 6);

        // REPD asks for the extended form, with time-outs: none are recommended.
        Span<byte> data = stackalloc byte[16];
        data.Clear();
        data[0] = Functions;
        if ((task.Cdb[2] & 0x80) == 0)
            return task.Answer(data[..4], allocation);
        data[3] = 12;
        return task.Answer(data, allocation);
    }
}
