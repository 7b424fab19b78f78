using Slipway.Disks;
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
        var disk = await new BootMedia([.. programs.Select(p => (ReadOnlyMemory<byte>)p)], Script).WriteDiskAsync(sectorSize);
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
        var disk = await new BootMedia([Programs.Efi()], Script).WriteDiskAsync();
        disk.Save(folder["media"]);
        (await new BootMedia([Programs.Efi()], Script).WriteDiskAsync()).Save(folder["again"]);
        Assert.Equal(await File.ReadAllBytesAsync(folder["media"]), await File.ReadAllBytesAsync(folder["again"]));
        Assert.Contains("No problems found", await Tool.RunAsync("sgdisk", "-v", folder["media"]), StringComparison.Ordinal);
        await Tool.RunAsync("mcopy", "-i", folder["media"] + "@@1M", "::/EFI/BOOT/autoexec.ipxe", folder["script"]);
        Assert.Equal(Script, await File.ReadAllBytesAsync(folder["script"]));
        var partition = (await File.ReadAllBytesAsync(folder["media"]))[(1 << 20)..^(1 << 20)];
        await File.WriteAllBytesAsync(folder["fat"], partition);
        await Tool.RunAsync("fsck.vfat", "-n", folder["fat"]);
    }

    [Fact]
    public void Two_programs_for_one_machine_are_refused() =>
        Assert.Throws<ArgumentException>(() => new BootMedia([Programs.Efi(), Programs.Efi()], Script));

    [Fact]
    public async Task An_SD_card_has_an_MBR_the_boards_loader_and_a_boot_script_of_its_own()
    {
        using var folder = new TemporaryFolder();
        var loader = Enumerable.Range(0, 1_500_000).Select(i => (byte)i).ToArray();
        var media = new BootMedia([Programs.Efi(IpxeBinary.Arm64)], Script);
        media.Add("boot.scr", new byte[] { 1, 2, 3 });
        var disk = await media.WriteSdAsync([new BoardLoader(8192, loader)]);
        disk.Save(folder["sd"]);
        var table = await PartitionTable.ReadAsync(disk);
        var system = Assert.Single(table.Partitions);
        // After the loader, on a megabyte.
        Assert.Equal(2 << 20, system.Offset);
        Assert.Contains("W95 FAT32 (LBA)", await Tool.RunAsync("sfdisk", "-l", folder["sd"]), StringComparison.Ordinal);
        var written = new byte[loader.Length];
        await disk.ReadAsync(8192, written);
        Assert.Equal(loader, written);
        await Tool.RunAsync("mcopy", "-i", folder["sd"] + "@@2M", "::/boot.scr", folder["script"]);
        Assert.Equal([1, 2, 3], await File.ReadAllBytesAsync(folder["script"]));

        await Assert.ThrowsAsync<ArgumentException>(async () => await media.WriteSdAsync([new BoardLoader(8192, loader), new BoardLoader(32768, loader)]));
        await Assert.ThrowsAsync<ArgumentException>(async () => await media.WriteSdAsync([new BoardLoader(0, loader)]));
    }

    [Fact]
    public async Task A_CD_is_a_disk_too_and_other_tools_find_the_FAT_volume_in_both()
    {
        using var folder = new TemporaryFolder();
        var disk = await new BootMedia([Programs.Efi()], Script).WriteIsoAsync();
        disk.Save(folder["iso"]);
        Assert.Contains("No problems found", await Tool.RunAsync("sgdisk", "-v", folder["iso"]), StringComparison.Ordinal);
        var info = await Tool.RunAsync("isoinfo", "-d", "-i", folder["iso"]);
        Assert.Contains("El Torito VD version 1 found, boot catalog is in sector 22", info, StringComparison.Ordinal);
        Assert.Contains("Volume id: SLIPWAY", info, StringComparison.Ordinal);
        Assert.Contains("Bootoff 200 512", info, StringComparison.Ordinal);
        var files = await Tool.RunAsync("isoinfo", "-f", "-i", folder["iso"]);
        Assert.Contains("EFI.IMG", files, StringComparison.OrdinalIgnoreCase);

        var volume = (await FileSystem.DetectAsync(DiskRegion.Whole(disk)))!;
        var image = await volume.ReadAllAsync((await volume.FindAsync("/efi.img"))!);
        var system = (await FileSystem.DetectAsync(DiskRegion.Whole(new MemoryDisk(image))))!;
        Assert.Equal(Script, await system.ReadAllAsync((await system.FindAsync("/EFI/BOOT/autoexec.ipxe"))!));
    }

    [Fact]
    public async Task What_a_BIOS_starts_has_a_partition_and_an_entry_of_its_own()
    {
        using var folder = new TemporaryFolder();
        var bios = new byte[4096];
        "HdrS"u8.CopyTo(bios.AsSpan(514));
        var disk = await Media(70_000).WriteIsoAsync();
        disk.Save(folder["iso"]);
        Assert.Contains("No problems found", await Tool.RunAsync("sgdisk", "-v", folder["iso"]), StringComparison.Ordinal);
        var info = await Tool.RunAsync("isoinfo", "-d", "-i", folder["iso"]);
        Assert.Contains("Arch 0 (x86)", info, StringComparison.Ordinal);
        Assert.Contains("Nsect 4", info, StringComparison.Ordinal);
        var partitions = (await PartitionTable.ReadAsync(disk)).Partitions;
        Assert.Equal([PartitionTypes.EfiSystem, PartitionTypes.BiosBoot], partitions.Select(p => p.Type!.Value));
        var volume = (await FileSystem.DetectAsync(new(disk, partitions[0].Offset, partitions[0].Length)))!;
        Assert.Equal(bios, await volume.ReadAllAsync((await volume.FindAsync("/ipxe.lkrn"))!));

        await Assert.ThrowsAsync<ArgumentException>(async () => await Media(600_000).WriteIsoAsync());
        Assert.Throws<BinaryPatchException>(() => new BootMedia([bios], Script));

        BootMedia Media(int core) => new([Programs.Efi(), bios], Script, new BiosLoader(new byte[512], new byte[60_000], new byte[core]));
    }
}
