namespace Slipway.Scsi.Commands.Medium;

/// <summary>
/// WRITE (SBC-3 §5.32 to §5.35). A write is acknowledged when it survives this process; with FUA, when it is on the medium.
/// </summary>
internal static class Write
{
    public const byte Fua = 0x08;

    public static readonly CommandRow[] Rows =
    [
        Row("WRITE(6)", "0A 1F FF FF FF 00", ExecuteCached),
        Row("WRITE(10)", "2A 1A FF FF FF FF 00 FF FF 00", Execute),
        Row("WRITE(12)", "AA 1A FF FF FF FF FF FF FF FF 00 00", Execute),
        Row("WRITE(16)", "8A 1A FF FF FF FF FF FF FF FF FF FF FF FF 00 00", Execute),
    ];

    private static CommandRow Row(string name, string usage, CommandHandler<DiskUnit> handler) =>
        CommandRow.For(name, usage, CommandTraits.WritesMedium, handler);

    private static ValueTask Execute(DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation) =>
        (task.Cdb[1] & Fua) != 0
            ? ThroughCacheAsync(ExecuteCached(unit, nexus, task, cancellation), unit, task, cancellation)
            : ExecuteCached(unit, nexus, task, cancellation);

    private static ValueTask ExecuteCached(DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        if (!BlockRange.TryDecode(unit, task, out var range))
            return default;
        task.TransferLength = unit.ToBytes(range.Blocks);

        // RFC 7143 §11.4.5.1: an initiator may send less than the CDB asks for; whole blocks of it are written.
        var data = task.DataOut[..WholeBlocks(unit, task)];
        return data.IsEmpty ? default : unit.Device.WriteAsync(unit.ToBytes(range.Lba), data, cancellation);
    }

    private static int WholeBlocks(DiskUnit unit, ScsiTask task) =>
        (int)Math.Min(task.TransferLength, task.DataOut.Length) & -unit.BlockSize;

    private static async ValueTask ThroughCacheAsync(
        ValueTask write, DiskUnit unit, ScsiTask task, CancellationToken cancellation)
    {
        await write;
        if (task.Status == ScsiStatus.Good)
            await unit.Device.FlushAsync(cancellation);
    }
}
