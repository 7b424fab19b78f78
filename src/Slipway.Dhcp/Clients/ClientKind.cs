namespace Slipway.Dhcp.Clients;

/// <summary>Who asks, as far as it matters for what it can boot.</summary>
public enum ClientKind
{
    /// <summary>An operating system: it wants an address, and no boot file.</summary>
    Host,

    /// <summary>Firmware that fetches by TFTP: PXE, or U-Boot.</summary>
    Firmware,

    /// <summary>Firmware that fetches by HTTP (UEFI HTTP Boot).</summary>
    HttpFirmware,

    Ipxe,
}
