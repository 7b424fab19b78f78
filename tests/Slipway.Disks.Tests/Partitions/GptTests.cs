using CsCheck;
using Slipway.Disks.Partitions;
using Slipway.Tests;

namespace Slipway.Disks.Tests.Partitions;

public class GptTests
{
    private const long Megabyte = 1 << 20;
    private static readonly Guid DiskId = new("6a1b4f2e-98c3-4d0b-8d7e-2a5f2bb0c001");

    private static readonly Partition[] TwoPartitions =
    [
        new(1, PartitionTypes.EfiSystem, 0, "EFI system", Megabyte, 4 * Megabyte, new("6a1b4f2e-98c3-4d0b-8d7e-2a5f2bb0c002")),
        new(2, PartitionTypes.LinuxFileSystem, 0, "root", 5 * Megabyte, 10 * Megabyte, new("6a1b4f2e-98c3-4d0b-8d7e-2a5f2bb0c003")),
    ];

    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    public async Task What_is_written_is_read_back(int sectorSize)
    {
        var disk = new MemoryDisk(16 * Megabyte);
        await GptWriter.WriteAsync(disk, DiskId, TwoPartitions, sectorSize);
        var table = await PartitionTable.ReadAsync(disk);
        Assert.Equal((PartitionTableKind.Gpt, sectorSize, false), (table.Kind, table.SectorSize, table.UsedBackup));
        Assert.Equal(TwoPartitions, table.Partitions);
    }

    [Fact]
    public async Task The_backup_counts_where_the_first_header_is_damaged()
    {
        var disk = new MemoryDisk(16 * Megabyte);
        await GptWriter.WriteAsync(disk, DiskId, TwoPartitions);
        await disk.WriteAsync(512 + 40, new byte[] { 1 });
        var table = await PartitionTable.ReadAsync(disk);
        Assert.True(table.UsedBackup);
        Assert.Equal(TwoPartitions, table.Partitions);
    }

    [Fact]
    public async Task Sfdisk_and_sgdisk_find_no_fault()
    {
        using var folder = new TemporaryFolder();
        var disk = new MemoryDisk(16 * Megabyte);
        await GptWriter.WriteAsync(disk, DiskId, TwoPartitions);
        disk.Save(folder["disk"]);
        Assert.Contains("No problems found", await Tool.RunAsync("sgdisk", "-v", folder["disk"]), StringComparison.Ordinal);
        var dump = await Tool.RunAsync("sfdisk", "--dump", folder["disk"]);
        Assert.Contains("start=        2048, size=        8192, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, uuid=6A1B4F2E-98C3-4D0B-8D7E-2A5F2BB0C002, name=\"EFI system\"", dump, StringComparison.Ordinal);
        Assert.Contains("name=\"root\"", dump, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("label: gpt\nstart=1MiB, size=3MiB, type=uefi, name=esp\nstart=4MiB, size=8MiB, type=linux\n", PartitionTableKind.Gpt, 2)]
    [InlineData("label: dos\nstart=1MiB, size=3MiB, type=ef\nstart=4MiB, size=10MiB, type=5\nstart=5MiB, size=2MiB, type=83\nstart=8MiB, size=2MiB, type=82\n", PartitionTableKind.Mbr, 3)]
    public async Task Tables_of_sfdisk_are_read(string layout, PartitionTableKind kind, int count)
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder["layout"], layout);
        await File.WriteAllBytesAsync(folder["disk"], new byte[16 * Megabyte]);
        await Tool.RunAsync("sh", "-c", $"PATH=$PATH:/usr/sbin:/sbin sfdisk -q {folder["disk"]} < {folder["layout"]}");
        var table = await PartitionTable.ReadAsync(DiskFiles.Load(folder["disk"]));
        Assert.Equal((kind, count), (table.Kind, table.Partitions.Count));
        Assert.Equal((1, Megabyte, 3 * Megabyte, "EFI system"), (table.Partitions[0].Number, table.Partitions[0].Offset, table.Partitions[0].Length, table.Partitions[0].TypeName));
        if (kind == PartitionTableKind.Mbr) Assert.Equal([1, 5, 6], table.Partitions.Select(p => p.Number));
    }

    [Fact]
    public async Task A_blank_disk_has_no_table()
    {
        var table = await PartitionTable.ReadAsync(new MemoryDisk(Megabyte));
        Assert.Equal(PartitionTableKind.None, table.Kind);
    }

    [Fact]
    public Task Garbage_is_read_without_an_exception() =>
        Gen.Select(Gen.Byte.Array[64, 600], Gen.Int[0, 20_000], Gen.Byte.Array[8], Gen.Int[0, 20_000]).SampleAsync(async (junk, at, more, place) =>
        {
            var disk = new MemoryDisk(64 * 1024);
            await GptWriter.WriteAsync(disk, DiskId, []);
            await disk.WriteAsync(at, junk);
            await disk.WriteAsync(place, more);
            Assert.All((await PartitionTable.ReadAsync(disk)).Partitions, p => Assert.True(p.Offset >= 0 && p.End <= disk.Length && p.Length > 0));
        }, iter: 500, threads: 1);
}
