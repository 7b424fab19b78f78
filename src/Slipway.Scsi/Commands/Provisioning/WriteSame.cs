using System.Buffers;
using Slipway.Scsi.Commands.Medium;

namespace Slipway.Scsi.Commands.Provisioning;

/// <summary>
/// WRITE SAME (SBC-3 §5.43, §5.44). A block of zeroes takes no space where UNMAP allows it; any other block is written
/// even with UNMAP, since what is read afterwards must be the block (LBPRZ, SBC-3 §4.7.3.4).
/// </summary>
internal static class WriteSame
{
    private const int ChunkLength = 128 * 1024;
    private const byte NoDataOut = 0x01;
    private const byte UnmapBit = 0x08;

    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<DiskUnit>("WRITE SAME(10)", "41 08 FF FF FF FF 1F FF FF 00", CommandTraits.WritesMedium, Execute),
        CommandRow.For<DiskUnit>(
            "WRITE SAME(16)", "93 09 FF FF FF FF FF FF FF FF FF FF FF FF 1F 00", CommandTraits.WritesMedium, Execute),
    ];

    private static ValueTask Execute(DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        var range = BlockRange.Decode(task.Cdb);
        if (!unit.Holds(range))
            return unit.Refuse(task, SenseCode.LogicalBlockAddressOutOfRange);

        // Zero would mean "to the end", more than one command does, and the worst that a forgotten field could ask for:
        // WSNZ of the Block Limits page says that it is refused.
        if (range.Blocks == 0 || range.Blocks > unit.Limits.WriteSame)
            return unit.RefuseField(task, BlockRange.LengthField(task.Cdb[0]));

        ReadOnlyMemory<byte> block = default;
        if ((task.Cdb[1] & NoDataOut) == 0)
        {
            task.TransferLength = unit.BlockSize;
            if (task.DataOut.Length != unit.BlockSize)
                return unit.RefuseField(task, BlockRange.LengthField(task.Cdb[0]));
            block = task.DataOut;
        }

        return WriteAsync(unit, nexus, task, range, block, (task.Cdb[1] & UnmapBit) != 0, cancellation);
    }

    private static async ValueTask WriteAsync(
        DiskUnit unit, UnitNexus nexus, ScsiTask task, BlockRange range, ReadOnlyMemory<byte> block, bool mayUnmap,
        CancellationToken cancellation)
    {
        var offset = unit.ToBytes(range.Lba);
        var length = unit.ToBytes(range.Blocks);
        using (await unit.BeginChangeAsync(nexus, range, exclusive: false, cancellation))
        {
            if (block.Span.ContainsAnyExcept((byte)0))
                await FillAsync(unit, task, offset, length, block, cancellation);
            else
                await unit.Device.WriteZeroesAsync(offset, length, mayUnmap, cancellation);
        }

        await unit.CommitAsync(throughCache: false, cancellation);
    }

    private static async ValueTask FillAsync(
        DiskUnit unit, ScsiTask task, long offset, long length, ReadOnlyMemory<byte> block, CancellationToken cancellation)
    {
        if (length > ChunkLength)
            await ScsiTask.LeaveThread();
        var chunk = (int)Math.Min(length, ChunkLength);
        var buffer = ArrayPool<byte>.Shared.Rent(chunk);
        try
        {
            for (var at = 0; at < chunk; at += block.Length)
                block.Span.CopyTo(buffer.AsSpan(at));
            for (long done = 0; done < length; done += chunk)
            {
                task.ThrowIfAbandoned();
                chunk = (int)Math.Min(chunk, length - done);
                await unit.Device.WriteAsync(offset + done, buffer.AsMemory(0, chunk), cancellation);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
