namespace Slipway.Dhcp.Clients;

public enum FirmwareQuirk
{
    /// <summary>It takes option 67 for a C string and reads past its end.</summary>
    TerminatedBootFile,
}

/// <summary>Firmware that needs another answer than its standard says. Each row names who found out.</summary>
public static class FirmwareQuirks
{
    public sealed record Row(FirmwareQuirk Quirk, string Firmware, string Source, Func<DhcpClient, bool> Applies);

    public static IReadOnlyList<Row> Table { get; } =
    [
        new(FirmwareQuirk.TerminatedBootFile, "PXE ROMs of BIOS machines", "Intel PXE 2.1 §2.2.2: boot file names are null-terminated",
            c => c is { Kind: ClientKind.Firmware, Platform: BootPlatform.Bios }),
    ];

    public static bool Has(DhcpClient client, FirmwareQuirk quirk)
    {
        foreach (var row in Table)
        {
            if (row.Quirk == quirk && row.Applies(client))
                return true;
        }
        return false;
    }
}
