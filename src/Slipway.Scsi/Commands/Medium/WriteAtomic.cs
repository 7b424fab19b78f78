namespace Slipway.Scsi.Commands.Medium;

/// <summary>WRITE ATOMIC(16) (SBC-4 §5.48), of one atomic write: an ATOMIC BOUNDARY, which makes several, is refused.</summary>
internal static class WriteAtomic
{
    private const int TransferLengthField = 12;

    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<DiskUnit>(
            "WRITE ATOMIC(16)", "9C 18 FF FF FF FF FF FF FF FF 00 00 FF FF 1F 00", CommandTraits.WritesMedium, Execute),
    ];

    // FUA asks for what every atomic write does.
    private static ValueTask Execute(DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        // TRANSFER LENGTH has two bytes where other CDBs of 16 bytes have four; the row keeps the others zero.
        var range = BlockRange.Decode(task.Cdb);
        if (!unit.Holds(range))
            return unit.Refuse(task, SenseCode.LogicalBlockAddressOutOfRange);
        task.TransferLength = unit.ToBytes(range.Blocks);
        // Less data than the CDB asks for would be a part of the write.
        if (range.Blocks > BlockLimits.AtomicTransfer || task.DataOut.Length < task.TransferLength)
            return unit.RefuseField(task, TransferLengthField);
        return range.Blocks == 0
            ? default
            : unit.AtomicWrites!.WriteAsync(unit, nexus, range, task.DataOut[..(int)task.TransferLength], cancellation);
    }
}
