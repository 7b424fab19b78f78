using System.Buffers;
using System.Buffers.Binary;

namespace Slipway.Scsi.Commands.Copy;

/// <summary>EXTENDED COPY(LID1) (SPC-4 §6.5): copies blocks between units of one target without the initiator's network.</summary>
internal static class ExtendedCopy
{
    private const int ChunkLength = 1 << 20;
    private const int UsageKept = 0;

    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<DiskUnit>(
            "EXTENDED COPY(LID1)", "83 00 00 00 00 00 00 00 00 00 FF FF FF FF 00 00", CommandTraits.WritesMedium & ~CommandTraits.Writes,
            Execute, 0x00),
    ];

    private static ValueTask Execute(DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        var length = BinaryPrimitives.ReadUInt32BigEndian(task.Cdb[10..]);
        task.TransferLength = length;

        // SPC-4 §6.5: a length of zero is no error.
        if (length == 0)
            return default;
        if (task.DataOut.Length < length)
            return unit.Refuse(task, SenseCode.ParameterListLengthError);
        return CopyList.Parse(unit, nexus.Port, task, task.DataOut.Span[..(int)length]) is { } list
            ? RunAsync(unit, nexus, task, list, cancellation)
            : default;
    }

    private static async ValueTask RunAsync(
        DiskUnit unit, UnitNexus nexus, ScsiTask task, CopyList list, CancellationToken cancellation)
    {
        var isKept = list.ListIdUsage == UsageKept;
        if (isKept && !nexus.Copies.TryBegin(list.ListId))
        {
            await unit.Refuse(task, SenseCode.OperationInProgress);
            return;
        }

        var result = new CopyResult(IsComplete: true, HasFailed: true, 0, 0);
        try
        {
            foreach (var segment in list.Segments)
            {
                await CopyAsync(segment, task, cancellation);
                result = result with { Segments = result.Segments + 1, Bytes = result.Bytes + segment.Length };
            }

            foreach (var written in list.Segments.Select(s => s.Destination).Distinct())
                await written.CommitAsync(throughCache: false, cancellation);
            result = result with { HasFailed = false };
        }
        finally
        {
            if (isKept)
                nexus.Copies.End(list.ListId, result);
        }
    }

    private static async ValueTask CopyAsync(CopySegment segment, ScsiTask task, CancellationToken cancellation)
    {
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(segment.Length, ChunkLength));
        try
        {
            var offset = segment.Destination.ToBytes(segment.DestinationRange.Lba);
            using (await segment.Destination.Changes.EnterAsync(segment.DestinationRange, exclusive: true, cancellation))
            {
                for (long done = 0; done < segment.Length; done += ChunkLength)
                {
                    if (task.IsAbandoned)
                        throw new OperationCanceledException(cancellation);
                    var chunk = buffer.AsMemory(0, (int)Math.Min(segment.Length - done, ChunkLength));
                    await segment.Source.Device.ReadAsync(segment.SourceOffset + done, chunk, cancellation);
                    await segment.Destination.Device.WriteAsync(offset + done, chunk, cancellation);
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
