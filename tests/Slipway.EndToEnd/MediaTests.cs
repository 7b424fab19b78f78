using Slipway.Server.Tests;
using Slipway.Server.Tests.Net;

namespace Slipway.EndToEnd;

/// <summary>Boot media as firmware reads them: as far as the script that is on them.</summary>
public sealed class MediaTests : IDisposable
{
    private static readonly TimeSpan Start = TimeSpan.FromMinutes(2);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task OVMF_starts_the_same_image_from_a_CD_drive_and_from_a_disk()
    {
        var ipxe = (await PartsAsync("ovmf")).Part("ipxe");
        var (image, script) = (Path.Combine(_folder.Path, "boot.iso"), Path.Combine(_folder.Path, "own.ipxe"));
        await File.WriteAllTextAsync(script, "#!ipxe\necho from the medium: ${buildarch}\npoweroff\n");
        Tool.Run(Demo.Program, "firmware", "media", image, "--format", "iso", "--ipxe", Path.Combine(ipxe, "ipxe-amd64.efi"), "--script", script);
        foreach (var drive in (string[][])[["-cdrom", image], ["-drive", $"if=none,id=d,format=raw,file={image}", "-device", "virtio-blk-pci,drive=d"]])
        {
            var variables = Path.Combine(_folder.Path, "variables.fd");
            File.Copy("/usr/share/OVMF/OVMF_VARS_4M.fd", variables, overwrite: true);
            using var machine = new BackgroundTool("qemu-system-x86_64",
                ["-machine", "q35", "-accel", "tcg", "-cpu", "max,la57=off", "-m", "512", "-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot", "-nic", "none",
                    "-drive", "if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd", "-drive", $"if=pflash,format=raw,unit=1,file={variables}", .. drive]);
            machine.WaitFor("from the medium: x86_64", Start);
            Assert.Equal(0, await machine.EndAsync(Start));
        }
    }

    [Fact]
    public async Task UBoot_starts_an_SD_card_as_far_as_the_script_on_it()
    {
        var parts = await PartsAsync("uboot-arm64");
        var (ipxe, uboot) = (parts.Part("ipxe"), Path.Combine(parts.Part("u-boot"), "qemu_arm64", "u-boot.bin"));
        var image = Path.Combine(_folder.Path, "board.img");
        Tool.Run(Demo.Program, "firmware", "media", image, "--format", "sd", "--ipxe", Path.Combine(ipxe, "ipxe-arm64.efi"), "--server", "https://10.77.0.1/");
        using var machine = new BackgroundTool("qemu-system-aarch64",
            "-machine", "virt", "-accel", "tcg,thread=multi", "-cpu", "cortex-a57", "-m", "512", "-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot",
            "-bios", uboot, "-nic", "none", "-drive", $"if=none,id=d,format=raw,file={image}", "-device", "virtio-blk-pci,drive=d");
        machine.WaitFor("Slipway: asking for an address", Start);
    }

    private async Task<Demo> PartsAsync(string firmware)
    {
        var parts = await Demo.RunAsync(_folder, firmware, "--prepare");
        Assert.True(parts.Status == 0, parts.Output);
        return parts;
    }
}
