namespace Slipway.Scsi.Commands.Medium;

/// <summary>
/// PRE-FETCH (SBC-3 §5.8, §5.9): the cache is the host's, which reads ahead by itself. GOOD rather than CONDITION MET: not
/// all of the blocks are known to be in the cache.
/// </summary>
internal static class Prefetch
{
    public static readonly CommandRow[] Rows =
    [
        Row("PRE-FETCH(10)", "34 02 FF FF FF FF 1F FF FF 00"),
        Row("PRE-FETCH(16)", "90 02 FF FF FF FF FF FF FF FF FF FF FF FF 1F 00"),
    ];

    private static CommandRow Row(string name, string usage) =>
        CommandRow.For<DiskUnit>(name, usage, CommandTraits.ReadsMedium, static (unit, _, task, _) =>
            unit.Holds(BlockRange.Decode(task.Cdb))
                ? default
                : unit.Refuse(task, SenseCode.LogicalBlockAddressOutOfRange));
}
