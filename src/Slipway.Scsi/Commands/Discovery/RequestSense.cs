namespace Slipway.Scsi.Commands.Discovery;

/// <summary>REQUEST SENSE (SPC-4 §6.39): pending sense as parameter data, with GOOD status.</summary>
internal static class RequestSense
{
    private const string Usage = "03 01 00 00 FF 00";

    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<LogicalUnit>("REQUEST SENSE", Usage, CommandTraits.AlwaysRuns, Execute),
    ];

    public static readonly CommandRow[] AbsentRows =
    [
        CommandRow.For<LogicalUnit>(
            "REQUEST SENSE", Usage, CommandTraits.AlwaysRuns,
            static (_, _, task, _) => Answer(task, SenseCode.LogicalUnitNotSupported)),
    ];

    private static ValueTask Execute(LogicalUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        return nexus.TryTakeAttention(out var code)
            ? Answer(task, code)
            : Answer(task, unit.PendingSense, unit.PendingProgress);
    }

    private static ValueTask Answer(ScsiTask task, SenseCode code, SenseKeySpecific progress = default)
    {
        Span<byte> sense = stackalloc byte[SenseData.FixedLength];
        int length;
        if ((task.Cdb[1] & 1) != 0)
        {
            length = SenseData.WriteDescriptors(sense, code, specific: progress);
        }
        else
        {
            SenseData.WriteFixed(sense, code, specific: progress);
            length = SenseData.FixedLength;
        }

        return task.Answer(sense[..length], task.Cdb[4]);
    }
}
