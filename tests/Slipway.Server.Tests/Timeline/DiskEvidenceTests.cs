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
            evidence.Touch(place);

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
    public async Task A_loader_that_looks_at_the_root_is_not_the_operating_system()
    {
        var disk = await BootDisk.CreateAsync();
        using var map = new DiskMap(disk.Disk);
        var evidence = await EvidenceAsync(map);
        evidence.Touch(BootDisk.Root + 1024);
        Assert.Empty(_seen);

        evidence.OsLoggedIn();
        evidence.Touch(0);
        Assert.Empty(_seen);
        evidence.Touch(BootDisk.Root + 1024);
        evidence.Touch(BootDisk.Root + 8192);
        Assert.Equal([(BootStage.Root, "reads partition 2 (file system not known)")], _seen);
    }

    [Fact]
    public async Task A_new_boot_tells_everything_again()
    {
        var disk = await BootDisk.CreateAsync();
        using var map = new DiskMap(disk.Disk);
        var evidence = await EvidenceAsync(map);
        evidence.OsLoggedIn();
        evidence.Touch(BootDisk.Root);
        evidence.Begin();
        await map.LocateAsync(0, TestContext.Current.CancellationToken);
        evidence.Touch(0);
        Assert.Equal([BootStage.Root, BootStage.Partition], _seen.Select(s => s.Stage));
    }

    [Fact]
    public async Task Looking_costs_no_allocation()
    {
        var disk = await BootDisk.CreateAsync();
        using var map = new DiskMap(disk.Disk);
        var evidence = await EvidenceAsync(map);
        var (a, b) = (await disk.PlaceOfAsync("/vmlinuz"), await disk.PlaceOfAsync("/initrd.img"));
        evidence.Touch(a);
        evidence.Touch(b);
        evidence.Touch(a);
        Assert.Equal(0, Allocations.Of(() =>
        {
            for (var i = 0; i < 1000; i++)
                evidence.Touch(a + i);
        }));
    }

    private async Task<DiskEvidence> EvidenceAsync(DiskMap map)
    {
        // The first question builds the map; tests want the answers in order.
        await map.LocateAsync(0, TestContext.Current.CancellationToken);
        return new DiskEvidence(map, (stage, text, _) => _seen.Add((stage, text)));
    }
}
