using System.CommandLine;

namespace Slipway.Commands.Firmware;

/// <summary><c>slipway firmware</c>: iPXE and U-Boot made ready for this site.</summary>
internal static class FirmwareCommand
{
    public static Command Create() => new("firmware", "iPXE that trusts this site, boot media of it, and what U-Boot and builds from source need.")
    {
        TrustCommand.Create(),
        MediaCommand.Create(),
        ConfigCommand.Create(),
        UBootCommand.Create(),
    };
}
