using System.Buffers.Binary;

namespace Slipway.Scsi.Commands.Copy;

/// <summary>What RECEIVE COPY RESULTS was in SPC-3: RECEIVE COPY STATUS, DATA and FAILURE DETAILS(LID1), and RECEIVE COPY OPERATING PARAMETERS (SPC-4 §6.21 to §6.25).</summary>
internal static class ReceiveCopyResults
{
    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<DiskUnit>(
            "RECEIVE COPY STATUS(LID1)", "84 00 FF 00 00 00 00 00 00 00 FF FF FF FF 00 00", CommandTraits.None, ExecuteStatus, 0x00),
        CommandRow.For<DiskUnit>(
            "RECEIVE COPY DATA(LID1)", "84 01 FF 00 00 00 00 00 00 00 FF FF FF FF 00 00", CommandTraits.None, ExecuteData, 0x01),
        CommandRow.For<DiskUnit>(
            "RECEIVE COPY OPERATING PARAMETERS", "84 03 00 00 00 00 00 00 00 00 FF FF FF FF 00 00", CommandTraits.None,
            ExecuteParameters, 0x03),
        CommandRow.For<DiskUnit>(
            "RECEIVE COPY FAILURE DETAILS(LID1)", "84 04 FF 00 00 00 00 00 00 00 FF FF FF FF 00 00", CommandTraits.None,
            ExecuteFailure, 0x04),
    ];

    private static ValueTask ExecuteStatus(DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        if (nexus.Copies.Find(task.Cdb[2]) is not { KeepsStatus: true } record)
            return unit.RefuseField(task, 2);
        var isComplete = record.IsComplete;
        Span<byte> data = stackalloc byte[12];
        data.Clear();
        BinaryPrimitives.WriteInt32BigEndian(data, data.Length - 4);
        data[4] = (byte)(!isComplete ? 0 : record.Status == ScsiStatus.Good ? 1 : 2);
        BinaryPrimitives.WriteUInt16BigEndian(data[5..], (ushort)record.Segments);

        // TRANSFER COUNT UNITS 00h: as many segments as a list holds, of as many blocks as one can say, are less than 4 GiB.
        BinaryPrimitives.WriteUInt32BigEndian(data[8..], (uint)record.Bytes);
        var allocated = AllocationLength(task);
        if (isComplete && IsForgotten(allocated, data.Length))
            Forget(nexus, record, status: true, failure: false);
        return task.Answer(data, allocated);
    }

    /// <summary>No segment descriptor that is known here holds data for the initiator (HELD DATA LIMIT is zero).</summary>
    private static ValueTask ExecuteData(DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation) =>
        nexus.Copies.Find(task.Cdb[2]) is { IsComplete: true }
            ? task.Answer(stackalloc byte[4] { 0, 0, 0, 0 }, AllocationLength(task))
            : unit.RefuseField(task, 2);

    private static ValueTask ExecuteFailure(DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        if (nexus.Copies.Find(task.Cdb[2]) is not { IsComplete: true } record)
            return unit.RefuseField(task, 2);
        Span<byte> data = stackalloc byte[60 + ScsiTask.MaxSense];
        data.Clear();
        var length = 4;
        if (record.KeepsFailure)
        {
            length = 60 + record.Sense.Length;
            data[56] = (byte)record.Status;
            BinaryPrimitives.WriteUInt16BigEndian(data[58..], (ushort)record.Sense.Length);
            record.Sense.CopyTo(data[60..]);
        }
        BinaryPrimitives.WriteInt32BigEndian(data, length - 4);
        var allocated = AllocationLength(task);
        if (record.KeepsFailure && IsForgotten(allocated, length))
            Forget(nexus, record, status: false, failure: true);
        return task.Answer(data[..length], allocated);
    }

    private static uint AllocationLength(ScsiTask task) => BinaryPrimitives.ReadUInt32BigEndian(task.Cdb[10..]);

    // SPC-4 §6.23: what was transferred whole is discarded, and what is asked for with an allocation length of zero.
    private static bool IsForgotten(uint allocated, int length) => allocated == 0 || allocated >= length;

    private static void Forget(UnitNexus nexus, CopyRecord record, bool status, bool failure)
    {
        record.KeepsStatus &= !status;
        record.KeepsFailure &= !failure;
        if (!record.KeepsStatus && !record.KeepsFailure)
            nexus.Copies.Forget(record);
    }

    private static ValueTask ExecuteParameters(DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        Span<byte> data = stackalloc byte[46];
        data.Clear();
        BinaryPrimitives.WriteInt32BigEndian(data, data.Length - 4);
        data[4] = 0x01; // SNLID: a copy may do without a list id
        BinaryPrimitives.WriteUInt16BigEndian(data[8..], CopyList.MaxTargets);
        BinaryPrimitives.WriteUInt16BigEndian(data[10..], CopyList.MaxSegments);
        BinaryPrimitives.WriteUInt32BigEndian(data[12..], CopyList.MaxDescriptorLength);

        // MAXIMUM SEGMENT LENGTH zero: as many blocks as the descriptor can say. No inline data, no held data.
        BinaryPrimitives.WriteUInt16BigEndian(data[34..], CopyResults.MaxKept);
        data[36] = CopyResults.MaxKept;
        data[37] = 9; // DATA SEGMENT GRANULARITY: 512 bytes
        data[43] = 2;
        data[44] = CopyList.BlockToBlockSegment;
        data[45] = CopyList.IdentificationTarget;
        return task.Answer(data, AllocationLength(task));
    }
}
