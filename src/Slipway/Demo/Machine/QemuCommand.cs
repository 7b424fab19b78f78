using Slipway.Fleet.Machines;

namespace Slipway.Demo.Machine;

/// <summary>
/// The QEMU command line of a machine without a disk, as stock firmware needs it. Emulation only (TCG): the demo is the
/// same on a host that lends its virtualisation and on one that does not.
/// </summary>
/// <param name="Tap">The host's end of the machine's network cable.</param>
/// <param name="Firmware">U-Boot's image, or edk2's code; null for the BIOS that QEMU brings.</param>
/// <param name="Variables">edk2's variable store, which it writes to.</param>
/// <param name="BootMedia">The disk with iPXE that U-Boot starts from.</param>
internal sealed record QemuCommand(DemoFirmware Demo, MacAddress Mac, string Tap, string? Firmware, string? Variables, string? BootMedia)
{
    /// <summary>
    /// Before 8.1 QEMU drops the guest's memory barriers where there can be but one processor, although its devices run on
    /// another thread (its commit c914d46d0a64): a virtio card then loses an interrupt now and then, and is silent for
    /// good. Room for a second processor, which is not there, keeps the barriers.
    /// </summary>
    public static readonly string[] OneProcessor = ["-smp", "1,maxcpus=2"];

    public string Program => Demo.Architecture.Qemu;

    public IReadOnlyList<string> Arguments =>
    [
        .. Board(), "-accel", "tcg,thread=multi", .. OneProcessor,
        "-m", "1024", "-display", "none", "-monitor", "none", "-no-reboot",
        "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console",
        .. FirmwareFlash(),
        "-netdev", $"tap,id=n0,ifname={Tap},script=no,downscript=no", "-device", NetworkCard(),
        .. BootMedia is null ? Array.Empty<string>() : ["-drive", $"if=none,id=d0,format=raw,file={BootMedia}", "-device", "virtio-blk-pci,drive=d0"],
        // U-Boot on a PC does not expect the device.
        .. IsUBoot && Demo.Architecture == GuestArchitecture.Amd64 ? Array.Empty<string>() : ["-device", "virtio-rng-pci"],
    ];

    private string[] Board() =>
        Demo.Architecture == GuestArchitecture.Amd64 ? PersonalComputer()
        : Demo.Architecture == GuestArchitecture.Arm64 ? ArmBoard()
        : ["-machine", "virt"];

    // U-Boot: q35 with e1000 leaves Linux without an interrupt. edk2: five-level paging costs its page tables.
    // U-Boot runs a graphics card's option ROM with the timer's interrupt on and nobody to take it: where it comes then, in
    // one start of some forty, the machine resets or U-Boot gives up. SeaBIOS writes to the serial port where there are no graphics.
    private string[] PersonalComputer() => Demo.Kind switch
    {
        FirmwareKind.UBoot => ["-machine", "pc", "-vga", "none", "-cpu", "max"],
        FirmwareKind.Bios => ["-machine", "pc,graphics=off", "-cpu", "max"],
        _ => ["-machine", "q35", "-cpu", "max,la57=off"],
    };

    private bool IsUBoot => Demo.Kind == FirmwareKind.UBoot;

    // edk2 since 2024 starts no network without a source of random numbers, and takes the processor's own (RNDR).
    private string[] ArmBoard() => ["-machine", "virt", "-cpu", IsUBoot ? "cortex-a57" : "max,pauth-impdef=on"];

    private string[] FirmwareFlash() => (Firmware, Variables) switch
    {
        (null, _) => [],
        // The place of -bios is taken, by OpenSBI.
        (_, null) => [Demo.Architecture == GuestArchitecture.Riscv64 ? "-kernel" : "-bios", Firmware],
        _ => ["-drive", $"if=pflash,format=raw,unit=0,readonly=on,file={Firmware}", "-drive", $"if=pflash,format=raw,unit=1,file={Variables}"],
    };

    // U-Boot: virtio-net stalls under load, and only a card that was probed before EFI starts is seen by iPXE: e1000 is.
    // A BIOS boots from the network with the card's own ROM; UEFI has drivers.
    private string NetworkCard() => Demo.Kind switch
    {
        FirmwareKind.UBoot => $"e1000,netdev=n0,mac={Mac},romfile=",
        FirmwareKind.Bios => $"virtio-net-pci,netdev=n0,mac={Mac},bootindex=0",
        _ => $"virtio-net-pci,netdev=n0,mac={Mac},romfile=,bootindex=0",
    };
}
