using System.Buffers.Binary;

namespace Slipway.Scsi.Commands.Discovery;

/// <summary>REPORT LUNS (SPC-4 §6.33).</summary>
internal static class ReportLuns
{
    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<LogicalUnit>(
            "REPORT LUNS", "A0 00 FF 00 00 00 FF FF FF FF 00 00", CommandTraits.AlwaysRuns, Execute),
    ];

    private static ValueTask Execute(LogicalUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        var select = task.Cdb[2];
        if (select > 2)
            return unit.RefuseField(task, 2);
        var allocation = BinaryPrimitives.ReadUInt32BigEndian(task.Cdb[6..]);
        if (allocation < 16)
            return unit.RefuseField(task, 6);

        // SELECT REPORT 01h asks for well known units alone, of which there are none.
        byte[] luns = select == 1 ? [] : [.. nexus.Port.Target.Units.Keys];
        Span<byte> data = stackalloc byte[8 + 8 * 256];
        data = data[..(8 + 8 * luns.Length)];
        data.Clear();
        BinaryPrimitives.WriteInt32BigEndian(data, 8 * luns.Length);
        for (var i = 0; i < luns.Length; i++)
            BinaryPrimitives.WriteUInt64BigEndian(data[(8 + 8 * i)..], LogicalUnitNumber.Encode(luns[i]));

        foreach (var each in nexus.Port.Units)
            each?.TryTakeAttention(SenseCode.ReportedLunsDataHasChanged);
        return task.Answer(data, allocation);
    }
}
