using Slipway.Demo.Packages;
using Slipway.Fleet.Machines;
using Slipway.Ipxe.Binaries;
using Slipway.Ipxe.Media;
using Slipway.Ipxe.Scripts;

namespace Slipway.Demo.Machine;

/// <summary>Puts a demo machine together: its firmware, and what that firmware starts from.</summary>
internal static class DemoMachine
{
    /// <param name="fingerprint">Whom the iPXE on U-Boot's own disk trusts; edk2 fetches its iPXE from the server.</param>
    public static async Task<QemuCommand> AssembleAsync(
        DemoFirmware firmware, DemoParts parts, MacAddress mac, Uri server, byte[] fingerprint, string folder, CancellationToken cancellation)
    {
        var tap = PrivateNetwork.TapOf(0);
        if (firmware.Kind == FirmwareKind.Bios)
            return new(firmware, mac, tap, Firmware: null, Variables: null, BootMedia: null);
        if (firmware.Kind == FirmwareKind.UBoot)
        {
            var media = Path.Combine(folder, "boot-media.img");
            await WriteMediaAsync(media, Path.Combine(parts.Ipxe, firmware.Ipxe), server, fingerprint, cancellation);
            return new(firmware, mac, tap, Path.Combine(parts.UBoot, firmware.Architecture.UBoot), Variables: null, media);
        }
        var (code, emptyVariables) = EdkImages(firmware);
        var variables = Path.Combine(folder, "firmware-variables.fd");
        File.Copy(emptyVariables, variables, overwrite: true);
        return new(firmware, mac, tap, code, variables, BootMedia: null);
    }

    /// <summary>The firmware, and the variables of one that was never started.</summary>
    public static (string Code, string Variables) EdkImages(DemoFirmware firmware) => firmware.Architecture == GuestArchitecture.Amd64
        ? ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd")
        : ("/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd");

    private static async Task WriteMediaAsync(string path, string stockIpxe, Uri server, byte[] fingerprint, CancellationToken cancellation)
    {
        // U-Boot has no timer interrupt: an iPXE that halts the processor would never wake.
        var ipxe = NapPatch.Apply(TrustPatch.Apply(await File.ReadAllBytesAsync(stockIpxe, cancellation), fingerprint));
        var disk = await new BootMedia([ipxe], FirstStageScript.Create(server).ToBytes()).WriteDiskAsync(cancellation: cancellation);
        await using var file = File.Create(path);
        disk.CopyTo(file);
    }
}
