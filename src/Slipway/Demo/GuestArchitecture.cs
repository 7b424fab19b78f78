namespace Slipway.Demo;

/// <summary>What differs between the kinds of machine that the demo boots.</summary>
/// <param name="Debian">Debian's name of it.</param>
/// <param name="GrubFormat">GRUB's name of it for UEFI.</param>
/// <param name="BootProgram">The default boot program's name (UEFI §3.5.1.1).</param>
/// <param name="KernelConsole">The first serial port, as the kernel calls it.</param>
/// <param name="Qemu">QEMU's program for it.</param>
/// <param name="UBoot">U-Boot for QEMU, in Debian's package.</param>
/// <param name="Kernel">What Debian calls the kernel's file.</param>
/// <param name="IsInDebian12">Debian 12 has it.</param>
internal sealed record GuestArchitecture(
    string Debian, string GrubFormat, string BootProgram, string KernelConsole, string Qemu, string UBoot, string Kernel = "vmlinuz", bool IsInDebian12 = true)
{
    /// <summary>Its machines may have a BIOS instead of UEFI.</summary>
    public bool HasBios => this == Amd64;

    public static GuestArchitecture Amd64 { get; } = new("amd64", "x86_64-efi", "BOOTX64.EFI", "ttyS0,115200", "qemu-system-x86_64", "qemu-x86_64/u-boot.rom");

    public static GuestArchitecture Arm64 { get; } = new("arm64", "arm64-efi", "BOOTAA64.EFI", "ttyAMA0", "qemu-system-aarch64", "qemu_arm64/u-boot.bin");

    /// <summary>OpenSBI comes first here, and starts U-Boot in supervisor mode.</summary>
    public static GuestArchitecture Riscv64 { get; } = new(
        "riscv64", "riscv64-efi", "BOOTRISCV64.EFI", "ttyS0,115200", "qemu-system-riscv64", "qemu-riscv64_smode/u-boot.bin", Kernel: "vmlinux", IsInDebian12: false);
}
