using System.Buffers;

namespace Slipway.Scsi.Commands.Medium;

/// <summary>COMPARE AND WRITE (SBC-3 §5.2): what every cluster file system takes its locks with.</summary>
internal static class CompareAndWrite
{
    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<DiskUnit>(
            "COMPARE AND WRITE", "89 1A FF FF FF FF FF FF FF FF 00 00 00 FF 1F 00", CommandTraits.WritesMedium, Execute),
    ];

    private static ValueTask Execute(DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        // NUMBER OF LOGICAL BLOCKS is one byte where other CDBs of 16 bytes have four; the row keeps the others zero.
        if (!BlockRange.TryDecode(unit, task, out var range))
            return default;
        var length = (int)unit.ToBytes(range.Blocks);
        task.TransferLength = 2 * length;
        if (task.DataOut.Length != 2 * length)
            return unit.RefuseField(task, 13);
        return length == 0 ? default : RunAsync(unit, nexus, task, range, length, cancellation);
    }

    private static async ValueTask RunAsync(
        DiskUnit unit, UnitNexus nexus, ScsiTask task, BlockRange range, int length, CancellationToken cancellation)
    {
        var offset = unit.ToBytes(range.Lba);
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            using (await unit.BeginChangeAsync(nexus, range, exclusive: true, cancellation))
            {
                var present = buffer.AsMemory(0, length);
                await unit.Device.ReadAsync(offset, present, cancellation);
                var same = present.Span.CommonPrefixLength(task.DataOut.Span[..length]);
                if (same < length)
                {
                    await unit.Refuse(task, SenseCode.MiscompareDuringVerify, default, (ulong)same);
                    return;
                }

                await unit.Device.WriteAsync(offset, task.DataOut.Slice(length, length), cancellation);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        await unit.CommitAsync((task.Cdb[1] & Write.Fua) != 0, cancellation);
    }
}
