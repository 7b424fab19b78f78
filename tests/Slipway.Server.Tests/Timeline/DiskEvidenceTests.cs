using Slipway.Disks;
using Slipway.Disks.Mapping;
using Slipway.Fleet.Boots;
using Slipway.Server.Timeline;
using Slipway.Tests;

namespace Slipway.Server.Tests.Timeline;

public class DiskEvidenceTests
{
    private readonly List<(BootStage Stage, string Text)> _seen = [];

    [Fact]
    public async Task Reads_are_told_as_stages_and_files_each_once()
    {
        var disk = await BootDisk.CreateAsync();
        using var map = new DiskMap(disk.Disk);
        var evidence = await EvidenceAsync(map);
        var kernel = await disk.PlaceOfAsync("/vmlinuz");
        foreach (var place in (long[])[0, 0, 512, await disk.PlaceOfAsync("/EFI/BOOT/BOOTX64.EFI"), await disk.PlaceOfAsync("/EFI/BOOT/grub.cfg"), kernel, kernel + 4096, await disk.PlaceOfAsync("/initrd.img"), kernel])
            evidence.Touch(place, 512);

        Assert.Equal(
            [
                (BootStage.Partition, "reads partition table"),
                (BootStage.Loader, "reads partition 1 (EFI system): /EFI/BOOT/BOOTX64.EFI"),
                (BootStage.Loader, "reads partition 1 (EFI system): /EFI/BOOT/grub.cfg"),
                (BootStage.Kernel, "reads partition 1 (EFI system): /vmlinuz"),
                (BootStage.Kernel, "reads partition 1 (EFI system): /initrd.img"),
            ],
            _seen);
    }

    [Fact]
    public async Task A_read_of_many_blocks_is_after_its_beginning_and_the_small_files_in_it()
    {
        var disk = await BootDisk.CreateAsync();
        using var map = new DiskMap(disk.Disk);
        var evidence = await EvidenceAsync(map);
        var settings = await disk.PlaceOfAsync("/EFI/BOOT/grub.cfg");
        evidence.Touch(settings - 4096, 32 << 10);
        Assert.Contains((BootStage.Loader, "reads partition 1 (EFI system): /EFI/BOOT/grub.cfg"), _seen);
        Assert.DoesNotContain(_seen, s => s.Stage == BootStage.Kernel);
    }

    [Fact]
    public async Task An_empty_disk_is_read_in_vain()
    {
        using var map = new DiskMap(new MemoryDisk(1 << 20));
        var evidence = await EvidenceAsync(map);
        evidence.Touch(0, 512);
        evidence.Touch(512, 512);
        Assert.Equal([(BootStage.Partition, "reads where a partition table would be")], _seen);
    }

    [Fact]
    public async Task A_loader_that_looks_at_the_root_is_not_the_operating_system()
    {
        var disk = await BootDisk.CreateAsync();
        using var map = new DiskMap(disk.Disk);
        var evidence = await EvidenceAsync(map);
        evidence.Touch(BootDisk.Root + 1024, 512);
        Assert.Empty(_seen);

        evidence.OsLoggedIn();
        evidence.Touch(0, 512);
        Assert.Empty(_seen);
        evidence.Touch(BootDisk.Root + 1024, 512);
        evidence.Touch(BootDisk.Root + 8192, 512);
        Assert.Equal([(BootStage.Root, "reads partition 2 (file system not known)")], _seen);
    }

    [Fact]
    public async Task A_new_boot_tells_everything_again()
    {
        var disk = await BootDisk.CreateAsync();
        using var map = new DiskMap(disk.Disk);
        var evidence = await EvidenceAsync(map);
        evidence.OsLoggedIn();
        evidence.Touch(BootDisk.Root, 512);
        evidence.Begin();
        await map.LocateAsync(0, TestContext.Current.CancellationToken);
        evidence.Touch(0, 512);
        Assert.Equal([BootStage.Root, BootStage.Partition], _seen.Select(s => s.Stage));
    }

    [Fact]
    public async Task Looking_costs_no_allocation()
    {
        var disk = await BootDisk.CreateAsync();
        using var map = new DiskMap(disk.Disk);
        var evidence = await EvidenceAsync(map);
        var (a, b) = (await disk.PlaceOfAsync("/vmlinuz"), await disk.PlaceOfAsync("/initrd.img"));
        evidence.Touch(a, 512);
        evidence.Touch(b, 512);
        evidence.Touch(a, 512);
        Assert.Equal(0, Allocations.Of(() =>
        {
            for (var i = 0; i < 1000; i++)
                evidence.Touch(a + i, 512);
        }));
    }

    private async Task<DiskEvidence> EvidenceAsync(DiskMap map)
    {
        // The first question builds the map; tests want the answers in order.
        await map.LocateAsync(0, TestContext.Current.CancellationToken);
        return new DiskEvidence(map, (stage, text, _) => _seen.Add((stage, text)));
    }
}
