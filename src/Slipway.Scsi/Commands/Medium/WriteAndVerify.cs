namespace Slipway.Scsi.Commands.Medium;

/// <summary>
/// WRITE AND VERIFY (SBC-3 §5.37 to §5.39): written, on the medium, and read back from there; with BYTCHK compared too.
/// </summary>
internal static class WriteAndVerify
{
    public static readonly CommandRow[] Rows =
    [
        Row("WRITE AND VERIFY(10)", "2E 16 FF FF FF FF 1F FF FF 00"),
        Row("WRITE AND VERIFY(12)", "AE 16 FF FF FF FF FF FF FF FF 1F 00"),
        Row("WRITE AND VERIFY(16)", "8E 16 FF FF FF FF FF FF FF FF FF FF FF FF 1F 00"),
    ];

    private static CommandRow Row(string name, string usage) =>
        CommandRow.For<DiskUnit>(name, usage, CommandTraits.WritesMedium, Execute);

    private static ValueTask Execute(DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        // BYTCHK 10b and 11b are reserved here.
        var check = (task.Cdb[1] >> 1) & 3;
        if (check > 1)
            return unit.RefuseField(task, 1, 2);
        return Write.TryDecode(unit, task, out var range, out var data) && !data.IsEmpty
            ? RunAsync(unit, nexus, task, new(range.Lba, (uint)unit.ToBlocks(data.Length)), data, check, cancellation)
            : default;
    }

    private static async ValueTask RunAsync(
        DiskUnit unit, UnitNexus nexus, ScsiTask task, BlockRange range, ReadOnlyMemory<byte> data, int check,
        CancellationToken cancellation)
    {
        var asked = task.TransferLength;

        // Exclusive: what is compared is what this command wrote.
        using (await unit.BeginChangeAsync(nexus, range, exclusive: true, cancellation))
        {
            await unit.Device.WriteAsync(unit.ToBytes(range.Lba), data, cancellation);
            await unit.Device.FlushAsync(cancellation);
            await Verify.CheckAsync(unit, task, range, check, cancellation);
        }

        if (task.Status == ScsiStatus.Good)
            task.TransferLength = asked;
    }
}
