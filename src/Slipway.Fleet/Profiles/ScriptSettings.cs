using System.Globalization;

namespace Slipway.Fleet.Profiles;

/// <summary>
/// The settings that are set before an operator's own script begins: nothing of a machine gets into it but as one of
/// these, so a script holds no secret and can be shown to anybody.
/// </summary>
public static class ScriptSettings
{
    public const string Machine = "slipway-machine";

    /// <summary>The disk as <c>sanboot</c> and <c>sanhook</c> take it.</summary>
    public const string Disk = "slipway-disk";

    /// <summary>The disk by each of its portals: <c>slipway-disk</c>, <c>slipway-disk-2</c>, ….</summary>
    /// <param name="portal">From 0.</param>
    public static string DiskBy(int portal) => portal == 0 ? Disk : string.Create(CultureInfo.InvariantCulture, $"{Disk}-{portal + 1}");

    /// <summary>The server's root, <c>https://10.77.0.1/</c>.</summary>
    public const string Server = "slipway-server";

    /// <summary>What tells a Linux kernel of the disk, with the secrets: for <c>kernel</c>, where there is no iBFT.</summary>
    public const string KernelArguments = "slipway-arguments";

    /// <summary><c>uboot</c> or <c>ibft</c>.</summary>
    public const string Firmware = "slipway-firmware";

    /// <summary>Set by iPXE's own names, so that <c>sanboot</c> finds them.</summary>
    public static readonly IReadOnlyList<string> Credentials = ["initiator-iqn", "username", "password", "reverse-username", "reverse-password"];
}
