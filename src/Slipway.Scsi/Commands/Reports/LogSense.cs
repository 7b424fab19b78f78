using System.Buffers.Binary;

namespace Slipway.Scsi.Commands.Reports;

/// <summary>LOG SENSE (SPC-4 §6.8): which pages there are, and that nothing is wrong.</summary>
internal static class LogSense
{
    private const byte SupportedPages = 0x00;
    private const byte InformationalExceptions = 0x2F;
    private const byte NoSubpage = 0x00, AllSubpages = 0xFF;
    private const byte SubpageFormat = 0x40;

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
        Span<byte> data = stackalloc byte[16];
        data.Clear();
        var page = (byte)(task.Cdb[2] & 0x3F);
        var subpage = task.Cdb[3];
        var length = Write(page, subpage, data[4..]);
        if (length == 0)
            return page is SupportedPages or InformationalExceptions ? unit.RefuseField(task, 3) : unit.RefuseField(task, 2, 5);
        data[0] = (byte)(page | (subpage == NoSubpage ? 0 : SubpageFormat));
        data[1] = subpage;
        BinaryPrimitives.WriteUInt16BigEndian(data[2..], (ushort)length);
        return task.Answer(data[..(4 + length)], BinaryPrimitives.ReadUInt16BigEndian(task.Cdb[7..]));
    }

    /// <summary>0 where there is no such page.</summary>
    private static int Write(byte page, byte subpage, Span<byte> body)
    {
        ReadOnlySpan<byte> content = (page, subpage) switch
        {
            (SupportedPages, NoSubpage) => [SupportedPages, InformationalExceptions],

            // Each page with its subpages.
            (SupportedPages, AllSubpages) => [SupportedPages, NoSubpage, SupportedPages, AllSubpages, InformationalExceptions, NoSubpage],

            // SPC-4 §7.3.8: parameter 0000h; additional sense 0000h, no temperature known (FFh).
            (InformationalExceptions, NoSubpage) => [0x00, 0x00, 0x03, 4, 0x00, 0x00, 0xFF, 0x00],
            _ => [],
        };
        content.CopyTo(body);
        return content.Length;
    }
}
