using Slipway.Demo;
using Slipway.Demo.Machine;
using Slipway.Server.Tests;
using Slipway.Server.Tests.Net;

namespace Slipway.EndToEnd;

/// <summary>Boot media as firmware reads them: as far as the script that is on them.</summary>
public sealed class MediaTests : IDisposable
{
    private static readonly TimeSpan Start = TimeSpan.FromMinutes(2);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("ovmf", "ipxe-amd64.efi", "x86_64 efi")]
    [InlineData("seabios", "ipxe.lkrn", "i386 pcbios")]
    [InlineData("aavmf", "ipxe-arm64.efi", "arm64 efi")]
    public async Task Firmware_starts_the_same_image_from_a_CD_drive_and_from_a_disk(string firmware, string program, string started)
    {
        var parts = await Demo.PrepareAsync(_folder, firmware);
        var ipxe = parts.Part("ipxe");
        var (image, script) = (Path.Combine(_folder.Path, "boot.iso"), Path.Combine(_folder.Path, "own.ipxe"));
        // SeaBIOS is one character behind on the serial port.
        await File.WriteAllTextAsync(script, "#!ipxe\necho from the medium: ${buildarch} ${platform} starts\npoweroff\n");
        // One image for both firmwares of a PC.
        string[] programs = firmware == "aavmf" ? [program] : ["ipxe-amd64.efi", "ipxe.lkrn"];
        string[] grub = firmware == "aavmf" ? [] : ["--grub", parts.Part("grub-bios")];
        Tool.Run(Demo.Program, ["firmware", "media", image, "--format", "iso", "--ipxe", .. programs.Select(p => Path.Combine(ipxe, p)), "--script", script, .. grub]);
        foreach (var drive in (string[])["scsi-cd", "virtio-blk-pci"])
        {
            string[] board = firmware switch
            {
                "ovmf" => ["-machine", "q35", "-cpu", "max,la57=off"],
                "seabios" => ["-machine", "pc,graphics=off", "-cpu", "max"],
                _ => ["-machine", "virt", "-cpu", "max,pauth-impdef=on", "-device", "virtio-rng-pci"],
            };
            using var machine = new BackgroundTool(DemoFirmware.Named(firmware).Architecture.Qemu,
                [.. board, "-accel", "tcg", "-m", "512", "-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot", "-nic", "none",
                    .. firmware == "seabios" ? Array.Empty<string>() : Flash(firmware),
                    "-device", "virtio-scsi-pci", "-drive", $"if=none,id=d,format=raw,readonly={(drive == "scsi-cd" ? "on" : "off")},file={image}", "-device", $"{drive},drive=d"]);
            machine.WaitFor($"from the medium: {started}", Start);
            Assert.Equal(0, await machine.EndAsync(Start));
        }
    }

    private string[] Flash(string firmware)
    {
        var variables = Path.Combine(_folder.Path, "variables.fd");
        var (code, empty) = DemoMachine.EdkImages(DemoFirmware.Named(firmware));
        File.Copy(empty, variables, overwrite: true);
        return ["-drive", $"if=pflash,format=raw,unit=0,readonly=on,file={code}", "-drive", $"if=pflash,format=raw,unit=1,file={variables}"];
    }

    [Fact]
    public async Task UBoot_starts_an_SD_card_as_far_as_the_script_on_it()
    {
        var parts = await Demo.PrepareAsync(_folder, "uboot-arm64");
        var (ipxe, uboot) = (parts.Part("ipxe"), Path.Combine(parts.Part("u-boot"), "qemu_arm64", "u-boot.bin"));
        var image = Path.Combine(_folder.Path, "board.img");
        Tool.Run(Demo.Program, "firmware", "media", image, "--format", "sd", "--ipxe", Path.Combine(ipxe, "ipxe-arm64.efi"), "--server", "https://10.77.0.1/");
        using var machine = new BackgroundTool("qemu-system-aarch64",
            "-machine", "virt", "-accel", "tcg,thread=multi", "-cpu", "cortex-a57", "-m", "512", "-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot",
            "-bios", uboot, "-nic", "none", "-drive", $"if=none,id=d,format=raw,file={image}", "-device", "virtio-blk-pci,drive=d");
        machine.WaitFor("Slipway: asking for an address", Start);
    }
}
