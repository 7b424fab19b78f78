using System.CommandLine;

namespace Slipway.Commands.Firmware;

/// <summary><c>slipway firmware</c>: stock iPXE made ready for this site.</summary>
internal static class FirmwareCommand
{
    public static Command Create() => new("firmware", "Make a stock iPXE trust this site, and boot media of it.")
    {
        TrustCommand.Create(),
        MediaCommand.Create(),
    };
}
