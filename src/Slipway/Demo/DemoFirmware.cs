using System.Runtime.InteropServices;

namespace Slipway.Demo;

/// <summary>The firmware that a demo machine starts with.</summary>
/// <param name="SystemPackages">Debian packages that run the machine.</param>
internal sealed record DemoFirmware(string Name, GuestArchitecture Architecture, FirmwareKind Kind, IReadOnlyList<string> SystemPackages)
{
    public static IReadOnlyList<DemoFirmware> All { get; } =
    [
        new("uboot-x86_64", GuestArchitecture.Amd64, FirmwareKind.UBoot, ["qemu-system-x86"]),
        new("uboot-arm64", GuestArchitecture.Arm64, FirmwareKind.UBoot, ["qemu-system-arm"]),
        new("uboot-riscv64", GuestArchitecture.Riscv64, FirmwareKind.UBoot, ["qemu-system-riscv64", "opensbi"]),
        new("ovmf", GuestArchitecture.Amd64, FirmwareKind.Edk2, ["qemu-system-x86", "ovmf"]),
        new("aavmf", GuestArchitecture.Arm64, FirmwareKind.Edk2, ["qemu-system-arm", "qemu-efi-aarch64"]),
        new("seabios", GuestArchitecture.Amd64, FirmwareKind.Bios, ["qemu-system-x86", "seabios", "ipxe-qemu"]),
    ];

    /// <summary>U-Boot for the processor that this host has.</summary>
    public static DemoFirmware Default =>
        Named(RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "uboot-arm64" : "uboot-x86_64");

    public static DemoFirmware Named(string name) => All.First(f => f.Name == name);

    /// <summary>The stock iPXE, as Debian's package calls it, that suits this firmware.</summary>
    public string Ipxe => $"ipxe-{Architecture.Debian}.efi";
}
