using System.Buffers.Binary;

namespace Slipway.Scsi.Commands.Reports;

/// <summary>REPORT SUPPORTED OPERATION CODES (SPC-4 §6.35), from the very table that dispatch uses.</summary>
internal static class ReportSupportedOperationCodes
{
    private const byte ReturnTimeouts = 0x80;
    private const int TimeoutsLength = 12;
    private const byte NotSupported = 1;
    private const byte Supported = 3;

    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<BlockUnit>(
            "REPORT SUPPORTED OPERATION CODES", "A3 0C 87 FF FF FF FF FF FF FF 00 00",
            CommandTraits.ConflictsWithExclusiveAccess, Execute, 0x0C),
    ];

    private static ValueTask Execute(BlockUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        var hasTimeouts = (task.Cdb[2] & ReturnTimeouts) != 0;
        var code = task.Cdb[3];
        var action = BinaryPrimitives.ReadUInt16BigEndian(task.Cdb[4..]);
        var allocation = BinaryPrimitives.ReadUInt32BigEndian(task.Cdb[6..]);
        var rows = unit.Commands.Find(code);
        var hasActions = rows?[0].ServiceAction is not null;
        switch (task.Cdb[2] & 7)
        {
            case 0:
                return task.Answer(All(unit.Commands.Rows, hasTimeouts), allocation);
            case 1:
                // SPC-4 §6.35.1: a command with service actions must be asked for with one, and the other way round.
                return hasActions ? unit.RefuseField(task, 4) : task.Answer(One(rows?[0], hasTimeouts), allocation);
            case 2:
                return rows is not null && !hasActions
                    ? unit.RefuseField(task, 4)
                    : task.Answer(One(Find(rows, action), hasTimeouts), allocation);
            case 3:
                return task.Answer(One(hasActions || action == 0 ? Find(rows, hasActions ? action : null) : null, hasTimeouts), allocation);
            default:
                return unit.RefuseField(task, 2, 2);
        }
    }

    private static CommandRow? Find(CommandRow[]? rows, ushort? action) =>
        rows is null ? null : Array.Find(rows, r => r.ServiceAction == action);

    // SPC-4 §6.35.2
    private static byte[] All(IReadOnlyList<CommandRow> rows, bool hasTimeouts)
    {
        var each = 8 + (hasTimeouts ? TimeoutsLength : 0);
        var data = new byte[4 + each * rows.Count];
        BinaryPrimitives.WriteInt32BigEndian(data, each * rows.Count);
        for (var i = 0; i < rows.Count; i++)
        {
            var descriptor = data.AsSpan(4 + each * i, each);
            descriptor[0] = rows[i].OperationCode;
            if (rows[i].ServiceAction is { } action)
            {
                BinaryPrimitives.WriteUInt16BigEndian(descriptor[2..], action);
                descriptor[5] |= 0x01; // SERVACTV
            }

            BinaryPrimitives.WriteUInt16BigEndian(descriptor[6..], (ushort)rows[i].CdbLength);
            if (hasTimeouts)
            {
                descriptor[5] |= 0x02; // CTDP
                WriteTimeouts(descriptor[8..]);
            }
        }

        return data;
    }

    // SPC-4 §6.35.3
    private static byte[] One(CommandRow? row, bool hasTimeouts)
    {
        if (row is null)
            return [0, NotSupported, 0, 0];
        var end = 4 + row.CdbLength;
        var data = new byte[end + (hasTimeouts ? TimeoutsLength : 0)];
        data[1] = Supported;
        BinaryPrimitives.WriteUInt16BigEndian(data.AsSpan(2), (ushort)row.CdbLength);
        row.Usage.CopyTo(data.AsSpan(4));
        if (hasTimeouts)
        {
            data[1] |= 0x80; // CTDP
            WriteTimeouts(data.AsSpan(end));
        }

        return data;
    }

    // SPC-4 §6.35.4: zeroes: no time-out is recommended.
    private static void WriteTimeouts(Span<byte> descriptor) =>
        BinaryPrimitives.WriteUInt16BigEndian(descriptor, TimeoutsLength - 2);
}
