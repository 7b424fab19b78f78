using System.Runtime.CompilerServices;

namespace Slipway.Scsi.Commands.Medium;

/// <summary>
/// WRITE (SBC-3 §5.33 to §5.35, and WRITE(6) of SBC-2). A write is acknowledged when it survives this process; with FUA,
/// when it is on the medium.
/// </summary>
internal static class Write
{
    public const byte Fua = 0x08;

    public static readonly CommandRow[] Rows =
    [
        Row("WRITE(6)", "0A 1F FF FF FF 00", Execute6),
        Row("WRITE(10)", "2A 1A FF FF FF FF 1F FF FF 00", Execute),
        Row("WRITE(12)", "AA 1A FF FF FF FF FF FF FF FF 1F 00", Execute),
        Row("WRITE(16)", "8A 1A FF FF FF FF FF FF FF FF FF FF FF FF 1F 00", Execute),
    ];

    private static CommandRow Row(string name, string usage, CommandHandler<DiskUnit> handler) =>
        CommandRow.For(name, usage, CommandTraits.WritesMedium, handler);

    private static ValueTask Execute(DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation) =>
        TryDecode(unit, task, out var range, out var data)
            ? WriteAsync(unit, nexus, range, data, (task.Cdb[1] & Fua) != 0, cancellation)
            : default;

    private static ValueTask Execute6(DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation) =>
        TryDecode(unit, task, out var range, out var data)
            ? WriteAsync(unit, nexus, range, data, throughCache: false, cancellation)
            : default;

    /// <summary>
    /// The blocks to write and their data. An initiator may send less than the CDB asks for (RFC 7143 §11.4.5.1); whole
    /// blocks of it are written.
    /// </summary>
    public static bool TryDecode(DiskUnit unit, ScsiTask task, out BlockRange range, out ReadOnlyMemory<byte> data)
    {
        data = default;
        if (!BlockRange.TryDecode(unit, task, out range))
            return false;
        task.TransferLength = unit.ToBytes(range.Blocks);
        data = task.DataOut[..((int)Math.Min(task.TransferLength, task.DataOut.Length) & -unit.BlockSize)];
        return true;
    }

    /// <summary>Written as one with respect to atomic commands. Without an async method, so that it costs no allocation.</summary>
    private static ValueTask WriteAsync(
        DiskUnit unit, UnitNexus nexus, BlockRange range, ReadOnlyMemory<byte> data, bool throughCache, CancellationToken cancellation)
    {
        if (data.IsEmpty)
            return default;
        var entering = unit.BeginChangeAsync(nexus, range, exclusive: false, cancellation);
        if (!entering.IsCompletedSuccessfully)
            return WaitAndWriteAsync(entering, unit, range, data, throughCache, cancellation);
        var hold = entering.Result;
        var isHeld = true;
        try
        {
            var write = unit.Device.WriteAsync(unit.ToBytes(range.Lba), data, cancellation);
            if (!write.IsCompletedSuccessfully)
            {
                isHeld = false;
                return FinishAsync(write, hold, unit, throughCache, cancellation);
            }

            write.GetAwaiter().GetResult();
        }
        finally
        {
            if (isHeld)
                hold.Dispose();
        }

        return unit.CommitAsync(throughCache, cancellation);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private static async ValueTask FinishAsync(
        ValueTask write, RangeLock.Hold hold, DiskUnit unit, bool throughCache, CancellationToken cancellation)
    {
        using (hold)
            await write;
        await unit.CommitAsync(throughCache, cancellation);
    }

    private static async ValueTask WaitAndWriteAsync(
        ValueTask<RangeLock.Hold> entering, DiskUnit unit, BlockRange range, ReadOnlyMemory<byte> data, bool throughCache,
        CancellationToken cancellation)
    {
        using (await entering)
            await unit.Device.WriteAsync(unit.ToBytes(range.Lba), data, cancellation);

        await unit.CommitAsync(throughCache, cancellation);
    }
}
