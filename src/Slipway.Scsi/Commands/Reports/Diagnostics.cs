using System.Buffers.Binary;

namespace Slipway.Scsi.Commands.Reports;

/// <summary>
/// SEND DIAGNOSTIC (SPC-4 §6.42), which SBC-3 makes mandatory: self-tests in the foreground, which have nothing to find;
/// and RECEIVE DIAGNOSTIC RESULTS (SPC-4 §6.28) with the one page that every unit with pages has, the list of them.
/// </summary>
internal static class Diagnostics
{
    private const byte PageFormat = 0x10;
    private const byte SelfTest = 0x04;
    private const int ForegroundShort = 5, ForegroundExtended = 6;
    private const byte PageCodeValid = 0x01;
    private const byte SupportedPages = 0x00;
    private const int PageHeaderLength = 4;

    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<DiskUnit>(
            "SEND DIAGNOSTIC", "1D F7 00 FF FF 00",
            CommandTraits.TakesData | CommandTraits.ConflictsWithExclusiveAccess | CommandTraits.ConflictsWithWriteExclusive, Send),
        CommandRow.For<DiskUnit>(
            "RECEIVE DIAGNOSTIC RESULTS", "1C 01 FF FF FF 00", CommandTraits.ConflictsWithExclusiveAccess, Receive),
    ];

    private static ValueTask Send(DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        var flags = task.Cdb[1];
        var length = BinaryPrimitives.ReadUInt16BigEndian(task.Cdb[3..]);
        task.TransferLength = length;

        // SPC-4 §6.42: with SELFTEST the code is zero; tests in the background would leave results in a log page.
        var code = flags >> 5;
        if ((flags & SelfTest) != 0 ? code != 0 : code is not (0 or ForegroundShort or ForegroundExtended))
            return unit.RefuseField(task, 1, 7);
        if (length == 0)
            return default;
        if ((flags & SelfTest) != 0 || code != 0 || (flags & PageFormat) == 0)
            return unit.RefuseField(task, 3);
        if (length < PageHeaderLength || task.DataOut.Length < length)
            return unit.Refuse(task, SenseCode.ParameterListLengthError);

        // SPC-4 §7.2.4: the page is empty, and asks for the list, which RECEIVE DIAGNOSTIC RESULTS gives in any case.
        var page = task.DataOut.Span;
        if (page[0] != SupportedPages)
            return unit.RefuseParameter(task, 0);
        return BinaryPrimitives.ReadUInt16BigEndian(page[2..]) == 0 ? default : unit.RefuseParameter(task, 2);
    }

    private static ValueTask Receive(DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        if ((task.Cdb[1] & PageCodeValid) != 0 && task.Cdb[2] != SupportedPages)
            return unit.RefuseField(task, 2);
        ReadOnlySpan<byte> data = [SupportedPages, 0, 0, 1, SupportedPages];
        return task.Answer(data, BinaryPrimitives.ReadUInt16BigEndian(task.Cdb[3..]));
    }
}
