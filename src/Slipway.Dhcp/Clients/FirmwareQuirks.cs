namespace Slipway.Dhcp.Clients;

/// <summary>Firmware that needs another answer than its standard says. Each row names who found out.</summary>
public static class FirmwareQuirks
{
    public sealed record Row(string Firmware, FirmwareMatch Match, FirmwareQuirk Quirk, string Source);

    private static readonly FirmwareMatch BiosRom = new() { Kind = ClientKind.Firmware, Architecture = ClientArchitecture.Bios };

    // U-Boot and iPXE on the same boards say what they are, and are not meant.
    private static readonly FirmwareMatch RaspberryPi = BiosRom with { Makers = [0xB827EB, 0xDCA632, 0xE45F01, 0xD83ADD, 0x28CDC1, 0x2CCF67] };

    public static IReadOnlyList<Row> Table { get; } =
    [
        new("PXE ROMs of BIOS machines", BiosRom, FirmwareQuirk.TerminatedBootFile,
            "Intel PXE 2.1 §2.2.2: boot file names are null-terminated; dnsmasq does it for all"),
        new("Raspberry Pi 3 and 4", RaspberryPi, FirmwareQuirk.NeedsRaspberryPiMenu,
            "github.com/raspberrypi/documentation/issues/1686, github.com/raspberrypi/rpi-eeprom/issues/103"),
        new("Raspberry Pi 3 and 4", RaspberryPi, FirmwareQuirk.NeedsTftpServerName,
            "github.com/tinkerbell/smee/issues/23, github.com/raspberrypi/firmware/issues/801"),
        new("Raspberry Pi 3 and 4", RaspberryPi, FirmwareQuirk.SaysBiosOnArm64,
            "github.com/raspberrypi/rpi-eeprom/issues/82"),
        new("boards without an UUID", new FirmwareMatch { Uuids = [Guid.Empty, Guid.AllBitsSet] }, FirmwareQuirk.HasNoUuid,
            "DMTF DSP0134 (SMBIOS) §7.2.1"),
    ];

    public static bool Has(DhcpClient client, FirmwareQuirk quirk)
    {
        foreach (var row in Table)
        {
            if (row.Quirk == quirk && row.Match.Matches(client))
                return true;
        }
        return false;
    }
}
