using System.Buffers.Binary;

namespace Slipway.Scsi.Commands.Mode;

/// <summary>MODE SENSE (SPC-4 §6.13, §6.14).</summary>
internal static class ModeSense
{
    private const byte DisableBlockDescriptors = 0x08;
    private const byte LongLbaAccepted = 0x10;
    private const int Saved = 3;

    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<BlockUnit>("MODE SENSE(6)", "1A 08 FF FF FF 00", Traits, Execute6),
        CommandRow.For<BlockUnit>("MODE SENSE(10)", "5A 18 FF FF 00 00 00 FF FF 00", Traits, Execute10),
    ];

    private const CommandTraits Traits = CommandTraits.ConflictsWithExclusiveAccess;

    private static ValueTask Execute6(BlockUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        Span<byte> data = stackalloc byte[ModePages.MaxLength];
        data.Clear();
        var length = 4;
        if (unit.DeviceSpecificParameter is not null && (task.Cdb[1] & DisableBlockDescriptors) == 0)
        {
            data[3] = 8;
            WriteShortDescriptor(unit, data[length..]);
            length += 8;
        }

        if (!TryWritePages(unit, task, data, ref length))
            return default;
        data[0] = (byte)(length - 1);
        data[2] = unit.DeviceSpecificParameter ?? 0;
        return task.Answer(data[..length], task.Cdb[4]);
    }

    private static ValueTask Execute10(BlockUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        Span<byte> data = stackalloc byte[ModePages.MaxLength];
        data.Clear();
        var length = 8;
        if (unit.DeviceSpecificParameter is not null && (task.Cdb[1] & DisableBlockDescriptors) == 0)
        {
            var isLong = (task.Cdb[1] & LongLbaAccepted) != 0;
            if (isLong)
                WriteLongDescriptor(unit, data[length..]);
            else
                WriteShortDescriptor(unit, data[length..]);
            data[4] = (byte)(isLong ? 1 : 0);
            data[7] = (byte)(isLong ? 16 : 8);
            length += data[7];
        }

        if (!TryWritePages(unit, task, data, ref length))
            return default;
        BinaryPrimitives.WriteUInt16BigEndian(data, (ushort)(length - 2));
        data[3] = unit.DeviceSpecificParameter ?? 0;
        return task.Answer(data[..length], BinaryPrimitives.ReadUInt16BigEndian(task.Cdb[7..]));
    }

    private static bool TryWritePages(BlockUnit unit, ScsiTask task, Span<byte> data, ref int length)
    {
        var control = task.Cdb[2] >> 6;
        if (control == Saved)
            return unit.Deny(task, SenseCode.SavingParametersNotSupported);

        // SPC-4 §6.13.1: 00h no subpages, FFh all of them, which is the same here; the pages have none.
        if (task.Cdb[3] is not (0x00 or 0xFF))
            return unit.DenyField(task, 3);

        unit.UpdateModePages();
        var written = unit.ModePages.Write(task.Cdb[2] & 0x3F, (ModePageControl)control, data[length..]);
        length += written;
        return written > 0 || unit.DenyField(task, 2, 5);
    }

    // SBC-3 §6.5.2.2
    private static void WriteShortDescriptor(BlockUnit unit, Span<byte> descriptor)
    {
        BinaryPrimitives.WriteUInt32BigEndian(descriptor, (uint)Math.Min(unit.Blocks, uint.MaxValue));
        BinaryPrimitives.WriteInt32BigEndian(descriptor[4..], unit.BlockSize);
    }

    // SBC-3 §6.5.2.3
    private static void WriteLongDescriptor(BlockUnit unit, Span<byte> descriptor)
    {
        BinaryPrimitives.WriteUInt64BigEndian(descriptor, unit.Blocks);
        BinaryPrimitives.WriteInt32BigEndian(descriptor[12..], unit.BlockSize);
    }
}
