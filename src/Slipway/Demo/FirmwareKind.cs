namespace Slipway.Demo;

internal enum FirmwareKind
{
    /// <summary>Starts iPXE from a small disk of its own.</summary>
    UBoot,

    /// <summary>UEFI: fetches iPXE by TFTP.</summary>
    Edk2,

    /// <summary>A PC's BIOS, with the network card's boot ROM, which fetches iPXE by TFTP.</summary>
    Bios,
}
