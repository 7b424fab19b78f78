using System.Globalization;

namespace Slipway.Ipxe.Scripts;

/// <summary>How <c>sanboot</c> and <c>sanhook</c> treat the disk.</summary>
/// <param name="Drive">BIOS drive number; 0x80 is the first hard disk.</param>
/// <param name="NoDescribe">
/// No iBFT. Needed where the firmware has no ACPI table protocol (U-Boot): there describing fails, and the boot with it.
/// </param>
/// <param name="Keep">The connection stays after a boot that failed.</param>
/// <param name="FileName">The EFI program to start instead of <c>\EFI\BOOT\BOOT*.EFI</c>.</param>
public sealed record SanBootOptions(byte? Drive = null, bool NoDescribe = false, bool Keep = false, string? FileName = null)
{
    internal string Written
    {
        get
        {
            var words = new List<string>();
            if (NoDescribe) words.Add("--no-describe");
            if (Keep) words.Add("--keep");
            if (Drive is { } drive) words.Add(string.Create(CultureInfo.InvariantCulture, $"--drive 0x{drive:x2}"));
            if (FileName is not null) words.Add($"--filename {IpxeText.Plain(FileName).Word}");
            return string.Join(' ', words);
        }
    }
}
