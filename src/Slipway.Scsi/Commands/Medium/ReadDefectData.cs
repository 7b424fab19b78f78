using System.Buffers.Binary;

namespace Slipway.Scsi.Commands.Medium;

/// <summary>READ DEFECT DATA (SBC-3 §5.17, §5.18): both lists are empty, in any format.</summary>
internal static class ReadDefectData
{
    private const CommandTraits Traits = CommandTraits.NeedsMedium | CommandTraits.ConflictsWithExclusiveAccess;

    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<DiskUnit>("READ DEFECT DATA(10)", "37 00 1F 00 00 00 00 FF FF 00", Traits, Execute10),
        CommandRow.For<DiskUnit>("READ DEFECT DATA(12)", "B7 1F FF FF FF FF FF FF FF FF 00 00", Traits, Execute12),
    ];

    private static ValueTask Execute10(DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        ReadOnlySpan<byte> data = [0, task.Cdb[2], 0, 0];
        return task.Answer(data, BinaryPrimitives.ReadUInt16BigEndian(task.Cdb[7..]));
    }

    private static ValueTask Execute12(DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        ReadOnlySpan<byte> data = [0, task.Cdb[1], 0, 0, 0, 0, 0, 0];
        return task.Answer(data, BinaryPrimitives.ReadUInt32BigEndian(task.Cdb[6..]));
    }
}
