namespace Slipway.Scsi.Commands.Optical;

/// <summary>SET CD SPEED (MMC-6 §6.38): the drive is always as fast as it can be.</summary>
internal static class SetCdSpeed
{
    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<CdRomUnit>(
            "SET CD SPEED", "BB 03 FF FF FF FF 00 00 00 00 00 00", CommandTraits.None, static (_, _, _, _) => default),
    ];
}
