using System.Buffers.Binary;
using Slipway.Scsi.MediumOperations;

namespace Slipway.Scsi.Commands.Medium;

/// <summary>
/// FORMAT UNIT (SBC-3 §5.3). There are no defects here, and the length of a block is as it is; so what a format does is to
/// give every block back, as befits a thin unit (SBC-3 §4.7.3), or to fill it with the initialization pattern.
/// </summary>
internal static class FormatUnit
{
    private const byte LongList = 0x20, FormatData = 0x10;
    private const byte FormatOptionsValid = 0x80, DisablePrimary = 0x40, DisableCertification = 0x20, StopFormat = 0x10;
    private const byte HasPattern = 0x08, Immediate = 0x02;
    private const int ShortHeaderLength = 4, LongHeaderLength = 8, PatternHeaderLength = 4;
    private const int DefaultPattern = 0, RepeatPattern = 1;

    public static readonly CommandRow[] Rows =
    [
        // FMTPINFO is a reserved field: there is no protection information.
        CommandRow.For<DiskUnit>("FORMAT UNIT", "04 3F 00 00 00 00", CommandTraits.WritesMedium | CommandTraits.PassesMediumOperation, Execute),
    ];

    private static ValueTask Execute(DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        var flags = task.Cdb[1];

        // Without a list CMPLST and DEFECT LIST FORMAT, which describe it, are not looked at; with one, its defects are refused anyway.
        if ((flags & FormatData) == 0)
            return Begin(unit, task, [], isImmediate: false, cancellation);

        var isLong = (flags & LongList) != 0;
        var headerLength = isLong ? LongHeaderLength : ShortHeaderLength;
        task.TransferLength = headerLength;
        if (task.DataOut.Length < headerLength)
            return unit.Refuse(task, SenseCode.ParameterListLengthError);
        var list = task.DataOut.Span;
        var options = list[1];

        // PROTECTION FIELD USAGE, and of the long header P_I_INFORMATION and PROTECTION INTERVAL EXPONENT.
        if (list[0] != 0)
            return unit.RefuseParameter(task, 0, 2);
        if (isLong && list[3] != 0)
            return unit.RefuseParameter(task, 3);

        // Without FOV the options are the unit's own, and none may be set. Reserved, obsolete and vendor specific ones never.
        const byte known = FormatOptionsValid | DisablePrimary | DisableCertification | StopFormat | HasPattern | Immediate;
        const byte valid = DisablePrimary | DisableCertification | StopFormat | HasPattern;
        if ((options & ~known) != 0 || ((options & FormatOptionsValid) == 0 && (options & valid) != 0))
            return unit.RefuseParameter(task, 1);

        // A list of defects, in whatever format, is one that nothing here could keep.
        var defects = isLong ? BinaryPrimitives.ReadUInt32BigEndian(list[4..]) : BinaryPrimitives.ReadUInt16BigEndian(list[2..]);
        if (defects != 0)
            return unit.RefuseParameter(task, isLong ? 4 : 2);
        ReadOnlySpan<byte> pattern = default;
        return (options & HasPattern) == 0 || TryReadPattern(unit, task, headerLength, out pattern)
            ? Begin(unit, task, pattern, (options & Immediate) != 0, cancellation)
            : default;
    }

    // SBC-3 §5.3.2.3. SI would reach blocks that were reallocated, of which there are none; who asks for it wants SANITIZE.
    private static bool TryReadPattern(DiskUnit unit, ScsiTask task, int at, out ReadOnlySpan<byte> pattern)
    {
        pattern = default;
        task.TransferLength = at + PatternHeaderLength;
        if (task.DataOut.Length < task.TransferLength)
            return unit.Deny(task, SenseCode.ParameterListLengthError);
        var descriptor = task.DataOut.Span[at..];
        var length = BinaryPrimitives.ReadUInt16BigEndian(descriptor[2..]);
        task.TransferLength += length;
        if (descriptor[0] != 0)
            return unit.DenyParameter(task, at);
        if (descriptor[1] is not (DefaultPattern or RepeatPattern))
            return unit.DenyParameter(task, at + 1);
        if (descriptor[1] == DefaultPattern ? length != 0 : length == 0 || length > unit.BlockSize)
            return unit.DenyParameter(task, at + 2);
        if (task.DataOut.Length < task.TransferLength)
            return unit.Deny(task, SenseCode.ParameterListLengthError);
        pattern = descriptor.Slice(PatternHeaderLength, length);
        return true;
    }

    private static ValueTask Begin(DiskUnit unit, ScsiTask task, ReadOnlySpan<byte> pattern, bool isImmediate, CancellationToken cancellation)
    {
        var block = pattern.ContainsAnyExcept((byte)0) ? MediumOperation.Block(pattern, unit.BlockSize) : null;
        return unit.Operate(
            task, MediumOperationSense.Format,
            () => block is null ? MediumOperation.Erase(unit) : MediumOperation.Overwrite(unit, block, passes: 1, inverts: false),
            allowsExit: false, isImmediate, cancellation);
    }
}
