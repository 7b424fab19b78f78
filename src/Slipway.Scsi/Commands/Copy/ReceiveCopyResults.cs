using System.Buffers.Binary;

namespace Slipway.Scsi.Commands.Copy;

/// <summary>RECEIVE COPY STATUS(LID1) and RECEIVE COPY OPERATING PARAMETERS, from SPC-4.</summary>
internal static class ReceiveCopyResults
{
    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<DiskUnit>(
            "RECEIVE COPY STATUS(LID1)", "84 00 FF 00 00 00 00 00 00 00 FF FF FF FF 00 00", CommandTraits.None, ExecuteStatus, 0x00),
        CommandRow.For<DiskUnit>(
            "RECEIVE COPY OPERATING PARAMETERS", "84 03 00 00 00 00 00 00 00 00 FF FF FF FF 00 00", CommandTraits.None,
            ExecuteParameters, 0x03),
    ];

    private static ValueTask ExecuteStatus(DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        if (nexus.Copies.Take(task.Cdb[2]) is not { } result)
            return unit.RefuseField(task, 2);
        Span<byte> data = stackalloc byte[12];
        data.Clear();
        BinaryPrimitives.WriteInt32BigEndian(data, data.Length - 4);
        data[4] = (byte)(!result.IsComplete ? 0 : result.HasFailed ? 2 : 1);
        BinaryPrimitives.WriteUInt16BigEndian(data[5..], (ushort)result.Segments);

        // TRANSFER COUNT UNITS 01h: KiB, and so the count fits.
        data[7] = 1;
        BinaryPrimitives.WriteUInt32BigEndian(data[8..], (uint)(result.Bytes >> 10));
        return task.Answer(data, BinaryPrimitives.ReadUInt32BigEndian(task.Cdb[10..]));
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
        return task.Answer(data, BinaryPrimitives.ReadUInt32BigEndian(task.Cdb[10..]));
    }
}
