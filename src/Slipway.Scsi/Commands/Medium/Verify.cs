using System.Buffers;

namespace Slipway.Scsi.Commands.Medium;

/// <summary>VERIFY (SBC-3 §5.29 to §5.31): reads the blocks and, where BYTCHK asks, compares them with Data-Out.</summary>
internal static class Verify
{
    private const int ChunkLength = 128 * 1024;

    public static readonly CommandRow[] Rows =
    [
        Row("VERIFY(10)", "2F 16 FF FF FF FF 1F FF FF 00"),
        Row("VERIFY(12)", "AF 16 FF FF FF FF FF FF FF FF 1F 00"),
        Row("VERIFY(16)", "8F 16 FF FF FF FF FF FF FF FF FF FF FF FF 1F 00"),
    ];

    private static CommandRow Row(string name, string usage) =>
        CommandRow.For<DiskUnit>(name, usage, CommandTraits.ReadsMedium | CommandTraits.TakesData, Execute);

    private static ValueTask Execute(DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        var check = (task.Cdb[1] >> 1) & 3;
        if (check == 2)
            return unit.RefuseField(task, 1, 2);
        return BlockRange.TryDecode(unit, task, out var range)
            ? CheckAsync(unit, task, range, check, cancellation)
            : default;
    }

    /// <summary>
    /// BYTCHK 0 reads the range, 1 compares it with as many blocks, 3 compares each block with the one that was sent.
    /// </summary>
    public static async ValueTask CheckAsync(
        DiskUnit unit, ScsiTask task, BlockRange range, int check, CancellationToken cancellation)
    {
        task.TransferLength = unit.ToBytes(check == 1 ? range.Blocks : check == 3 ? Math.Min(1, range.Blocks) : 0);
        if (check != 0 && task.DataOut.Length < task.TransferLength)
        {
            await unit.RefuseField(task, BlockRange.LengthField(task.Cdb[0]));
            return;
        }

        var offset = unit.ToBytes(range.Lba);
        var length = unit.ToBytes(range.Blocks);
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(length, ChunkLength));
        try
        {
            for (long done = 0; done < length;)
            {
                var chunk = buffer.AsMemory(0, (int)Math.Min(length - done, ChunkLength));
                await unit.Device.ReadAsync(offset + done, chunk, cancellation);
                var same = check switch
                {
                    1 => chunk.Span.CommonPrefixLength(task.DataOut.Span[(int)done..]),
                    3 => CommonPrefixOfBlocks(chunk.Span, task.DataOut.Span[..unit.BlockSize]),
                    _ => chunk.Length,
                };
                if (same < chunk.Length)
                {
                    // SPC-4 §4.5.3: INFORMATION holds the offset of the first difference in Data-Out.
                    await unit.Refuse(task, SenseCode.MiscompareDuringVerify, default, (ulong)(done + same));
                    return;
                }

                done += chunk.Length;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static int CommonPrefixOfBlocks(ReadOnlySpan<byte> data, ReadOnlySpan<byte> block)
    {
        for (var start = 0; start < data.Length; start += block.Length)
        {
            var same = data[start..].CommonPrefixLength(block);
            if (same < block.Length)
                return start + same;
        }

        return data.Length;
    }
}
