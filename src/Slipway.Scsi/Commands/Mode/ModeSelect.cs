using System.Buffers.Binary;

namespace Slipway.Scsi.Commands.Mode;

/// <summary>MODE SELECT (SPC-4 §6.11, §6.12). SP is refused: nothing can be saved.</summary>
internal static class ModeSelect
{
    private const CommandTraits Traits =
        CommandTraits.TakesData | CommandTraits.Flushes | CommandTraits.ConflictsWithExclusiveAccess | CommandTraits.ConflictsWithWriteExclusive;

    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<BlockUnit>("MODE SELECT(6)", "15 10 00 00 FF 00", Traits, Execute6),
        CommandRow.For<BlockUnit>("MODE SELECT(10)", "55 10 00 00 00 00 00 FF FF 00", Traits, Execute10),
    ];

    private static ValueTask Execute6(BlockUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        const int header = 4;
        var length = task.Cdb[4];
        if (!TryTake(unit, task, length, header, out var list))
            return default;
        return list.IsEmpty ? default : SelectAsync(unit, nexus, task, list, header, list[3], isLong: false, cancellation);
    }

    private static ValueTask Execute10(BlockUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        const int header = 8;
        var length = BinaryPrimitives.ReadUInt16BigEndian(task.Cdb[7..]);
        if (!TryTake(unit, task, length, header, out var list))
            return default;
        if (list.IsEmpty)
            return default;
        var descriptors = BinaryPrimitives.ReadUInt16BigEndian(list[6..]);
        return SelectAsync(unit, nexus, task, list, header, descriptors, (list[4] & 1) != 0, cancellation);
    }

    private static bool TryTake(BlockUnit unit, ScsiTask task, int length, int header, out ReadOnlySpan<byte> list)
    {
        task.TransferLength = length;
        list = default;

        // SPC-4 §6.11.1: a length of zero is no error; one that cuts a header is.
        if (length == 0)
            return true;
        if (length < header || task.DataOut.Length < length)
            return unit.Deny(task, SenseCode.ParameterListLengthError);
        list = task.DataOut.Span[..length];
        return true;
    }

    private static ValueTask SelectAsync(
        BlockUnit unit, UnitNexus nexus, ScsiTask task, ReadOnlySpan<byte> list, int header, int descriptors, bool isLong,
        CancellationToken cancellation)
    {
        if (header + descriptors > list.Length)
            return unit.Refuse(task, SenseCode.ParameterListLengthError);
        if (descriptors != 0 && descriptors != (isLong ? 16 : 8))
            return unit.RefuseParameter(task, header == 4 ? 3 : 6);
        if (descriptors != 0 && !KeepsCapacity(unit, list.Slice(header, descriptors)))
            return unit.RefuseParameter(task, header);

        // SPC-4 §6.11.1: PF zero means pages of no known format; a list without pages is the same in both.
        var pages = list[(header + descriptors)..];
        if (pages.Length > 0 && (task.Cdb[1] & 0x10) == 0)
            return unit.RefuseField(task, 1, 4);
        var hadCache = unit.ModePages.WriteCacheEnabled;
        var hasChanged = unit.ModePages.TrySelect(pages, out var wrong, out var isCut);
        if (isCut)
            return unit.Refuse(task, SenseCode.ParameterListLengthError);
        if (wrong is { } at)
            return unit.RefuseParameter(task, header + descriptors + at);
        if (hasChanged)
            unit.EstablishForOthers(nexus, SenseCode.ModeParametersChanged);

        // SBC-3 §6.5.5: before WCE takes effect as zero, what the cache holds is written.
        return hadCache && !unit.ModePages.WriteCacheEnabled ? unit.Device.FlushAsync(cancellation) : default;
    }

    // SBC-3 §6.5.2: neither the number of blocks (zero: as it is) nor their length can be selected.
    private static bool KeepsCapacity(BlockUnit unit, ReadOnlySpan<byte> descriptor)
    {
        var (blocks, limit) = descriptor.Length == 16
            ? (BinaryPrimitives.ReadUInt64BigEndian(descriptor), ulong.MaxValue)
            : (BinaryPrimitives.ReadUInt32BigEndian(descriptor), uint.MaxValue);
        var length = BinaryPrimitives.ReadUInt32BigEndian(descriptor[^4..]) & (descriptor.Length == 16 ? uint.MaxValue : 0xFF_FFFF);
        return (blocks == 0 || blocks == Math.Min(unit.Blocks, limit)) && length == unit.BlockSize;
    }
}
