using System.Buffers;
using System.Buffers.Binary;
using Slipway.Disks;

namespace Slipway.Scsi.Commands.Copy;

/// <summary>EXTENDED COPY(LID1) (SPC-4 §6.5): copies blocks between units of one target without the initiator's network.</summary>
internal static class ExtendedCopy
{
    private const int ChunkLength = 1 << 20;

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
        if (CopyList.Parse(unit, nexus.Port, task, task.DataOut.Span[..(int)length]) is { } list)
            return RunAsync(unit, nexus, task, list, cancellation);

        // A segment that cannot be begun has failed like one that was.
        if (task.SenseKey == SenseKey.CopyAborted && CopyList.HasListId(task.DataOut.Span) && nexus.Copies.TryBegin(task.DataOut.Span[0]) is { } record)
            record.End(task.Status, task.Sense);
        return default;
    }

    private static async ValueTask RunAsync(
        DiskUnit unit, UnitNexus nexus, ScsiTask task, CopyList list, CancellationToken cancellation)
    {
        var record = list.ListIdUsage == CopyList.UsageNone ? new CopyRecord(0) : nexus.Copies.TryBegin(list.ListId);
        if (record is null)
        {
            await unit.Refuse(task, SenseCode.OperationInProgress);
            return;
        }

        // What an abort leaves.
        var status = ScsiStatus.TaskAborted;
        try
        {
            (await CopyAsync(list, task, record, cancellation))?.Tell(task, unit.UsesDescriptorSense);
            status = task.Status;
        }
        finally
        {
            record.End(status, task.Sense);
            if (list.ListIdUsage == CopyList.UsageUnkept && status == ScsiStatus.Good)
                nexus.Copies.Forget(record);
        }
    }

    /// <summary>Null where all went well.</summary>
    private static async ValueTask<CopyFailure?> CopyAsync(CopyList list, ScsiTask task, CopyRecord record, CancellationToken cancellation)
    {
        if (list.Segments.Sum(segment => segment.Length) > ChunkLength)
            await ScsiTask.LeaveThread();
        foreach (var (number, segment) in list.Segments.Index())
        {
            record.BeginSegment();
            if (await CopyAsync(number, segment, task, record, cancellation) is { } failure)
                return failure;
        }

        foreach (var (number, segment) in list.Segments.Index().Reverse().DistinctBy(s => s.Item.Destination))
        {
            try
            {
                await segment.Destination.CommitAsync(throughCache: false, cancellation);
            }
            catch (BlockDeviceException refusal)
            {
                return new(SenseCode.ThirdPartyDeviceFailure, number, CopyList.PlaceOfTarget(segment.DestinationTarget)) { Cause = MediumSense.For(refusal, writes: true) };
            }
        }

        return null;
    }

    private static async ValueTask<CopyFailure?> CopyAsync(int number, CopySegment segment, ScsiTask task, CopyRecord record, CancellationToken cancellation)
    {
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(segment.Length, ChunkLength));
        var reads = true;
        long done = 0;
        try
        {
            var offset = segment.Destination.ToBytes(segment.DestinationRange.Lba);
            using (await segment.Destination.BeginChangeAsync(segment.DestinationNexus, segment.DestinationRange, exclusive: true, cancellation))
            {
                while (done < segment.Length)
                {
                    task.ThrowIfAbandoned();
                    var chunk = buffer.AsMemory(0, (int)Math.Min(segment.Length - done, ChunkLength));
                    reads = true;
                    await segment.Source.Device.ReadAsync(segment.SourceOffset + done, chunk, cancellation);
                    reads = false;
                    await segment.Destination.Device.WriteAsync(offset + done, chunk, cancellation);
                    done += chunk.Length;
                    record.Wrote(chunk.Length);
                }
            }
            return null;
        }
        catch (ChangeRefusedException)
        {
            return new(SenseCode.ThirdPartyDeviceFailure, number, CopyList.PlaceOfTarget(segment.DestinationTarget));
        }
        catch (BlockDeviceException refusal)
        {
            return new(SenseCode.ThirdPartyDeviceFailure, number, CopyList.PlaceOfTarget(reads ? segment.SourceTarget : segment.DestinationTarget))
            {
                Cause = MediumSense.For(refusal, writes: !reads),
                IsSource = reads,
                Residual = done > 0 ? (long)segment.Destination.ToBlocks(segment.Length - done) : null,
            };
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
