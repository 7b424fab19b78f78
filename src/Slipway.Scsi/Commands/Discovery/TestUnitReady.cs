namespace Slipway.Scsi.Commands.Discovery;

/// <summary>TEST UNIT READY (SPC-4 §6.47): dispatch has already asked whether the unit is ready.</summary>
internal static class TestUnitReady
{
    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<LogicalUnit>(
            "TEST UNIT READY", "00 00 00 00 00 00",
            CommandTraits.NeedsMedium, static (_, _, _, _) => default),
    ];
}
