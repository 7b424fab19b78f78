namespace Slipway.Scsi.Commands.Power;

/// <summary>PREVENT ALLOW MEDIUM REMOVAL (SBC-3 §5.5): a medium that cannot be removed needs no prevention.</summary>
internal static class PreventAllowMediumRemoval
{
    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<DiskUnit>(
            "PREVENT ALLOW MEDIUM REMOVAL", "1E 00 00 00 03 00", CommandTraits.None, static (_, _, _, _) => default),
    ];
}
