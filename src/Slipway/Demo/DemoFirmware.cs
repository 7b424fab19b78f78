using System.Runtime.InteropServices;

namespace Slipway.Demo;

/// <summary>The firmware that a demo machine starts with.</summary>
/// <param name="IsUBoot">U-Boot, with iPXE on a small disk of its own; otherwise edk2, which fetches iPXE by TFTP.</param>
/// <param name="SystemPackages">Debian packages that run the machine.</param>
internal sealed record DemoFirmware(string Name, GuestArchitecture Architecture, bool IsUBoot, IReadOnlyList<string> SystemPackages)
{
    public static IReadOnlyList<DemoFirmware> All { get; } =
    [
        new("uboot-x86_64", GuestArchitecture.Amd64, IsUBoot: true, ["qemu-system-x86"]),
        new("uboot-arm64", GuestArchitecture.Arm64, IsUBoot: true, ["qemu-system-arm"]),
        new("ovmf", GuestArchitecture.Amd64, IsUBoot: false, ["qemu-system-x86", "ovmf"]),
        new("aavmf", GuestArchitecture.Arm64, IsUBoot: false, ["qemu-system-arm", "qemu-efi-aarch64"]),
    ];

    /// <summary>U-Boot for the processor that this host has.</summary>
    public static DemoFirmware Default =>
        Named(RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "uboot-arm64" : "uboot-x86_64");

    public static DemoFirmware Named(string name) => All.First(f => f.Name == name);

    /// <summary>The stock iPXE, as Debian's package calls it, that suits this firmware.</summary>
    public string Ipxe => Architecture == GuestArchitecture.Arm64 ? "ipxe-arm64.efi" : "ipxe-amd64.efi";
}
