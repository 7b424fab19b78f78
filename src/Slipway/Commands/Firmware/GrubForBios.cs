using System.Text;
using Slipway.Host;
using Slipway.Ipxe.Media;

namespace Slipway.Commands.Firmware;

/// <summary>Has GRUB's own tool make what a BIOS starts from boot media.</summary>
internal static class GrubForBios
{
    public const string DefaultFolder = "/usr/lib/grub/i386-pc";

    /// <param name="modules">GRUB's modules and boot.img.</param>
    /// <exception cref="FirmwareException">GRUB is not there.</exception>
    /// <exception cref="HostProgramException">Its tool is not there, or of another release.</exception>
    public static async Task<BiosLoader> MakeAsync(DirectoryInfo modules, CancellationToken cancellation)
    {
        var boot = Path.Combine(modules.FullName, "boot.img");
        if (!File.Exists(boot))
            throw new FirmwareException($"{boot} is not there: install grub-pc-bin and grub-common, or say with --grub where it is");
        var work = Directory.CreateTempSubdirectory("slipway-grub-").FullName;
        try
        {
            return new(await File.ReadAllBytesAsync(boot, cancellation),
                await CoreAsync("i386-pc", BiosLoader.DiskScript), await CoreAsync("i386-pc-eltorito", BiosLoader.CdScript));
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }

        Task<byte[]> CoreAsync(string format, string script) =>
            GrubCore.MakeAsync(work, modules.FullName, format, Encoding.ASCII.GetBytes(script), BiosLoader.Modules, cancellation);
    }
}
