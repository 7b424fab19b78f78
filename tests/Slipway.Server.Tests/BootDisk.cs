using Slipway.Disks;
using Slipway.Disks.Fat;
using Slipway.Disks.FileSystems;
using Slipway.Disks.Partitions;
using Slipway.Server.Boot.Scripts;

namespace Slipway.Server.Tests;

/// <summary>A disk such as machines boot from, in memory: an EFI system partition, and a root whose file system is unknown.</summary>
internal sealed class BootDisk
{
    public const long Root = 10 << 20;

    private const long Megabyte = 1 << 20, EfiStart = Megabyte, EfiLength = 8 * Megabyte;

    private BootDisk(MemoryDisk disk) => Disk = disk;

    public MemoryDisk Disk { get; }

    public static async Task<BootDisk> CreateAsync(byte[]? environment = null)
    {
        var disk = new MemoryDisk(16 * Megabyte);
        await GptWriter.WriteAsync(disk, Guid.Empty,
        [
            new(1, PartitionTypes.EfiSystem, 0, "", EfiStart, EfiLength),
            new(2, PartitionTypes.LinuxFileSystem, 0, "root", Root, 4 * Megabyte),
        ]);
        var image = new FatImage();
        image.Add("EFI/BOOT/BOOTX64.EFI", new byte[100_000]);
        image.Add("EFI/BOOT/grub.cfg", new byte[100]);
        image.Add("vmlinuz", new byte[300_000]);
        image.Add("initrd.img", new byte[300_000]);
        if (environment is not null)
            image.Add(GrubEnvironment.FilePath.TrimStart('/'), environment);
        await image.WriteAsync(new(disk, EfiStart, EfiLength));
        return new BootDisk(disk);
    }

    public async Task<long> PlaceOfAsync(string path)
    {
        var volume = (await FileSystem.DetectAsync(new(Disk, EfiStart, EfiLength)))!;
        return (await volume.GetExtentsAsync((await volume.FindAsync(path))!))[0].DiskOffset;
    }

    public async Task<byte[]> ReadAsync(string path)
    {
        var volume = (await FileSystem.DetectAsync(new(Disk, EfiStart, EfiLength)))!;
        return await volume.ReadAllAsync((await volume.FindAsync(path))!);
    }
}
