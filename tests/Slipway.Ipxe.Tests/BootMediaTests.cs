using Slipway.Disks.FileSystems;
using Slipway.Disks.Partitions;
using Slipway.Ipxe.Binaries;
using Slipway.Ipxe.Media;
using Slipway.Ipxe.Scripts;
using Slipway.Tests;

namespace Slipway.Ipxe.Tests;

public class BootMediaTests
{
    private static readonly byte[] Script = FirstStageScript.Create(new("https://10.0.0.1/")).ToBytes();

    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    public async Task Media_hold_each_machine_s_program_and_the_script(int sectorSize)
    {
        byte[][] programs = [Programs.Efi(), Programs.Efi(IpxeBinary.Arm64), Programs.Efi(IpxeBinary.RiscV64)];
        var disk = await BootMedia.CreateAsync([.. programs.Select(p => (ReadOnlyMemory<byte>)p)], Script, sectorSize);
        var table = await PartitionTable.ReadAsync(disk);
        var system = Assert.Single(table.Partitions);
        Assert.Equal((sectorSize, (Guid?)PartitionTypes.EfiSystem), (table.SectorSize, system.Type));
        var volume = await FileSystem.DetectAsync(new(disk, system.Offset, system.Length));
        Assert.NotNull(volume);
        foreach (var (name, content) in new[] { ("BOOTX64.EFI", programs[0]), ("BOOTAA64.EFI", programs[1]), ("BOOTRISCV64.EFI", programs[2]), ("autoexec.ipxe", Script) })
            Assert.Equal(content, await volume.ReadAllAsync((await volume.FindAsync($"/EFI/BOOT/{name}"))!));
        Assert.NotNull(await volume.FindAsync("/autoexec.ipxe"));
    }

    [Fact]
    public async Task Other_tools_find_no_fault_in_media_and_they_are_the_same_each_time()
    {
        using var folder = new TemporaryFolder();
        var disk = await BootMedia.CreateAsync([Programs.Efi()], Script);
        disk.Save(folder["media"]);
        (await BootMedia.CreateAsync([Programs.Efi()], Script)).Save(folder["again"]);
        Assert.Equal(await File.ReadAllBytesAsync(folder["media"]), await File.ReadAllBytesAsync(folder["again"]));
        Assert.Contains("No problems found", await Tool.RunAsync("sgdisk", "-v", folder["media"]), StringComparison.Ordinal);
        await Tool.RunAsync("mcopy", "-i", folder["media"] + "@@1M", "::/EFI/BOOT/autoexec.ipxe", folder["script"]);
        Assert.Equal(Script, await File.ReadAllBytesAsync(folder["script"]));
        var partition = (await File.ReadAllBytesAsync(folder["media"]))[(1 << 20)..^(1 << 20)];
        await File.WriteAllBytesAsync(folder["fat"], partition);
        await Tool.RunAsync("fsck.vfat", "-n", folder["fat"]);
    }

    [Fact]
    public async Task Two_programs_for_one_machine_are_refused() =>
        await Assert.ThrowsAsync<ArgumentException>(async () => await BootMedia.CreateAsync([Programs.Efi(), Programs.Efi()], Script));
}
