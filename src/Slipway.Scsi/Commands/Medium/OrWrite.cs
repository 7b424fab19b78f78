using System.Buffers;
using System.Runtime.InteropServices;

namespace Slipway.Scsi.Commands.Medium;

/// <summary>ORWRITE(16) (SBC-3 §5.5): sets bits of the medium and clears none.</summary>
internal static class OrWrite
{
    private const int ChunkLength = 128 * 1024;

    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<DiskUnit>(
            "ORWRITE(16)", "8B 1A FF FF FF FF FF FF FF FF FF FF FF FF 1F 00", CommandTraits.WritesMedium, Execute),
    ];

    private static ValueTask Execute(DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation) =>
        Write.TryDecode(unit, task, out var range, out var data) && !data.IsEmpty
            ? RunAsync(unit, nexus, task, range, data, cancellation)
            : default;

    private static async ValueTask RunAsync(
        DiskUnit unit, UnitNexus nexus, ScsiTask task, BlockRange range, ReadOnlyMemory<byte> data, CancellationToken cancellation)
    {
        var offset = unit.ToBytes(range.Lba);
        var buffer = ArrayPool<byte>.Shared.Rent(Math.Min(data.Length, ChunkLength));
        try
        {
            using (await unit.BeginChangeAsync(nexus, range, exclusive: true, cancellation))
            {
                for (var done = 0; done < data.Length; done += ChunkLength)
                {
                    var chunk = buffer.AsMemory(0, Math.Min(data.Length - done, ChunkLength));
                    await unit.Device.ReadAsync(offset + done, chunk, cancellation);
                    Or(chunk.Span, data.Span.Slice(done, chunk.Length));
                    await unit.Device.WriteAsync(offset + done, chunk, cancellation);
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        await unit.CommitAsync((task.Cdb[1] & Write.Fua) != 0, cancellation);
    }

    // Blocks are whole numbers of 64-bit words.
    private static void Or(Span<byte> target, ReadOnlySpan<byte> bits)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(target);
        var masks = MemoryMarshal.Cast<byte, ulong>(bits);
        for (var i = 0; i < words.Length; i++)
            words[i] |= masks[i];
    }
}
