namespace Slipway.Scsi.Commands.Medium;

/// <summary>
/// READ (SBC-3 §5.11 to §5.13, and READ(6) of SBC-2), straight into the buffer that the transport sends from. RDPROTECT
/// is refused: the medium holds no protection information.
/// </summary>
internal static class Read
{
    public static readonly CommandRow[] Rows =
    [
        Row("READ(6)", "08 1F FF FF FF 00"),
        Row("READ(10)", "28 1A FF FF FF FF 1F FF FF 00"),
        Row("READ(12)", "A8 1A FF FF FF FF FF FF FF FF 1F 00"),
        Row("READ(16)", "88 1A FF FF FF FF FF FF FF FF FF FF FF FF 1F 00"),
    ];

    /// <summary>MMC-6 §6.15, §6.16; Streaming, of byte 10, changes nothing.</summary>
    public static readonly CommandRow[] OpticalRows =
    [
        Row("READ(10)", "28 18 FF FF FF FF 00 FF FF 00"),
        Row("READ(12)", "A8 18 FF FF FF FF FF FF FF FF 80 00"),
    ];

    private static CommandRow Row(string name, string usage) =>
        CommandRow.For<BlockUnit>(name, usage, CommandTraits.ReadsMedium, Execute);

    private static ValueTask Execute(BlockUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        if (!BlockRange.TryDecode(unit, task, out var range))
            return default;
        return Execute(unit, task, range, (task.Cdb[1] & Write.Fua) != 0 && task.Cdb[0] != 0x08, cancellation);
    }

    /// <summary>Answers with the blocks of a range that the unit holds and may transfer.</summary>
    public static ValueTask Execute(
        BlockUnit unit, ScsiTask task, BlockRange range, bool fromMedium, CancellationToken cancellation)
    {
        task.TransferLength = unit.ToBytes(range.Blocks);
        var length = (int)Math.Min(task.TransferLength, task.DataInLimit);
        if (length == 0)
            return default;
        var buffer = task.LendDataIn(length)[..length];
        task.DataIn = buffer;
        return fromMedium
            ? FromMediumAsync(unit, range, buffer, cancellation)
            : unit.ReadAsync(range, buffer, cancellation);
    }

    // SBC-3 §5.11: what the cache alone holds is written to the medium before it is read from there.
    private static async ValueTask FromMediumAsync(
        BlockUnit unit, BlockRange range, Memory<byte> buffer, CancellationToken cancellation)
    {
        await unit.Device.FlushAsync(cancellation);
        await unit.ReadAsync(range, buffer, cancellation);
    }
}
