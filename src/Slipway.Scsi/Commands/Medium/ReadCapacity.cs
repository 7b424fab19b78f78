using System.Buffers.Binary;
using System.Numerics;

namespace Slipway.Scsi.Commands.Medium;

/// <summary>READ CAPACITY (SBC-3 §5.15, §5.16).</summary>
internal static class ReadCapacity
{
    // SBC-3 table 13: allowed under every persistent reservation; SPC-2 table 9: and under RESERVE.
    private const CommandTraits Traits = CommandTraits.NeedsMedium | CommandTraits.PassesReserve;

    // Images keep whole pages: a smaller write is a read first.
    private const int PhysicalBlock = 4096;

    public static readonly CommandRow[] ShortRows =
    [
        CommandRow.For<BlockUnit>("READ CAPACITY(10)", "25 00 00 00 00 00 00 00 00 00", Traits, Execute10),
    ];

    public static readonly CommandRow[] Rows =
    [
        .. ShortRows,
        CommandRow.For<DiskUnit>(
            "READ CAPACITY(16)", "9E 10 00 00 00 00 00 00 00 00 FF FF FF FF 00 00", Traits, Execute16, 0x10),
    ];

    private static ValueTask Execute10(BlockUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        Span<byte> data = stackalloc byte[8];
        BinaryPrimitives.WriteUInt32BigEndian(data, (uint)Math.Min(unit.Blocks - 1, uint.MaxValue));
        BinaryPrimitives.WriteInt32BigEndian(data[4..], unit.BlockSize);
        return task.Answer(data, data.Length);
    }

    private static ValueTask Execute16(DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        Span<byte> data = stackalloc byte[32];
        data.Clear();
        BinaryPrimitives.WriteUInt64BigEndian(data, unit.Blocks - 1);
        BinaryPrimitives.WriteInt32BigEndian(data[8..], unit.BlockSize);
        data[13] = (byte)BitOperations.Log2((uint)(PhysicalBlock / unit.BlockSize));
        data[14] = 0xC0; // LBPME, LBPRZ: unmapped blocks read as zeroes
        return task.Answer(data, BinaryPrimitives.ReadUInt32BigEndian(task.Cdb[10..]));
    }
}
