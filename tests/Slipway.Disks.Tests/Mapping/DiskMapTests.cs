using Slipway.Disks.Fat;
using Slipway.Disks.FileSystems;
using Slipway.Disks.Mapping;
using Slipway.Disks.Partitions;

namespace Slipway.Disks.Tests.Mapping;

public class DiskMapTests
{
    private const long Megabyte = 1 << 20;

    private static async Task<MemoryDisk> BootDiskAsync()
    {
        var disk = new MemoryDisk(16 * Megabyte);
        await GptWriter.WriteAsync(disk, Guid.Empty,
        [
            new(1, PartitionTypes.EfiSystem, 0, "", Megabyte, 8 * Megabyte),
            new(2, PartitionTypes.LinuxFileSystem, 0, "root", 10 * Megabyte, 4 * Megabyte),
        ]);
        var image = new FatImage();
        image.Add("EFI/BOOT/BOOTX64.EFI", new byte[100_000]);
        image.Add("vmlinuz", new byte[300_000]);
        await image.WriteAsync(new(disk, Megabyte, 8 * Megabyte));
        return disk;
    }

    [Fact]
    public async Task Places_of_a_boot_disk_have_names()
    {
        var disk = await BootDiskAsync();
        using var map = new DiskMap(disk);
        var volume = (await FileSystem.DetectAsync(new(disk, Megabyte, 8 * Megabyte)))!;
        var kernel = (await volume.GetExtentsAsync((await volume.FindAsync("vmlinuz"))!))[0];

        Assert.Equal("partition table", (await map.LocateAsync(0)).ToString());
        Assert.Equal("partition table", (await map.LocateAsync(disk.Length - 512)).ToString());
        Assert.Equal("partition 1 (EFI system): vfat file system", (await map.LocateAsync(Megabyte)).ToString());
        Assert.Equal("partition 1 (EFI system): /vmlinuz", (await map.LocateAsync(kernel.DiskOffset + 299_999)).ToString());
        Assert.Equal("partition 2 (root)", (await map.LocateAsync(11 * Megabyte)).ToString());
        Assert.Equal("outside of every partition", (await map.LocateAsync(15 * Megabyte - 600_000)).ToString());
        var both = await map.LocateAsync(kernel.DiskOffset - 512, 2048);
        // The rest of the first file's last cluster is the file system's own.
        Assert.Equal(["/EFI/BOOT/BOOTX64.EFI", null, "/vmlinuz"], both.Select(p => p.Path));
    }

    [Fact]
    public async Task Once_built_a_question_completes_at_once()
    {
        using var map = new DiskMap(await BootDiskAsync());
        await map.LocateAsync(0);
        var answer = map.LocateAsync(5 * Megabyte);
        Assert.True(answer.IsCompletedSuccessfully);
        Assert.Equal(1, (await answer).Partition!.Number);
    }

    [Fact]
    public async Task Of_a_blank_disk_only_the_place_for_a_partition_table_is_known()
    {
        using var map = new DiskMap(new MemoryDisk(Megabyte));
        Assert.Equal(DiskPlaceKind.NoPartitionTable, (await map.LocateAsync(512)).Kind);
        Assert.Same(DiskPlace.Unknown, await map.LocateAsync(4096));
        Assert.Equal("where a partition table would be", Assert.Single(await map.LocateAsync(0, Megabyte)).ToString());
    }
}
