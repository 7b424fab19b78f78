using System.Buffers.Binary;

namespace Slipway.Scsi.Commands.Reports;

/// <summary>LOG SENSE (SPC-4 §6.8): which pages there are, and that nothing is wrong.</summary>
internal static class LogSense
{
    private const byte SupportedPages = 0x00;
    private const byte InformationalExceptions = 0x2F;

    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<DiskUnit>(
            "LOG SENSE", "4D 00 FF FF 00 00 00 FF FF 00", CommandTraits.PassesReserve | CommandTraits.PassesMediumOperation, Execute),
    ];

    private static ValueTask Execute(DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        // PC 01b: cumulative values; thresholds and defaults there are none.
        if (task.Cdb[2] >> 6 != 1)
            return unit.RefuseField(task, 2, 7);
        if (task.Cdb[3] != 0)
            return unit.RefuseField(task, 3);
        Span<byte> data = stackalloc byte[16];
        data.Clear();
        var page = (byte)(task.Cdb[2] & 0x3F);
        int length;
        switch (page)
        {
            case SupportedPages:
                data[4] = SupportedPages;
                data[5] = InformationalExceptions;
                length = 2;
                break;
            case InformationalExceptions:
                // SPC-4 §7.3.8: parameter 0000h; additional sense 0000h, no temperature known (FFh).
                data[6] = 0x03;
                data[7] = 4;
                data[10] = 0xFF;
                length = 8;
                break;
            default:
                return unit.RefuseField(task, 2, 5);
        }

        data[0] = page;
        BinaryPrimitives.WriteUInt16BigEndian(data[2..], (ushort)length);
        return task.Answer(data[..(4 + length)], BinaryPrimitives.ReadUInt16BigEndian(task.Cdb[7..]));
    }
}
