using System.Buffers.Binary;
using Slipway.Disks;
using Slipway.Tests;
using Slipway.Volumes.Qcow2;

namespace Slipway.Volumes.Tests.Qcow2;

/// <summary>Images that were not closed, or that contradict themselves.</summary>
public class Qcow2RepairTests
{
    private const int Size = 8 << 20, ClusterSize = 65536;
    private const int FeaturesAt = 72, L1At = 40, RefcountTableAt = 48;
    private const byte Dirty = 1, Corrupt = 2;

    [Theory]
    [InlineData("lazy_refcounts=on")]
    [InlineData("lazy_refcounts=on,cluster_size=512")]
    [InlineData("lazy_refcounts=on,cluster_size=2M")]
    public async Task An_image_that_QEMU_did_not_close_is_repaired(string options)
    {
        using var folder = new TemporaryFolder();
        await Tool.RunAsync("qemu-img", "create", "-q", "-f", "qcow2", "-o", options, folder["image"], $"{Size}");
        // It ends without closing: the counts stay in its memory.
        await Tool.TryRunAsync("qemu-io", "-c", "write -P 7 1M 300k", "-c", "write -P 8 5M 1M", "-c", "flush", "-c", "abort", folder["image"]);
        Assert.Equal(Dirty, (await File.ReadAllBytesAsync(folder["image"]))[FeaturesAt + 7]);
        await RequireSoundAfterOpenAsync(folder["image"], folder["."]);
        await Tool.RunAsync("qemu-io", "-c", "read -P 7 1M 300k", "-c", "read -P 8 5M 1M", folder["image"]);
    }

    [Fact]
    public async Task What_a_killed_server_gave_up_is_free_after_the_next_open()
    {
        using var folder = new TemporaryFolder();
        await Qcow2File.CreateAsync(folder["image"], Size);
        await using (var device = await Qcow2File.OpenAsync(folder["image"], folder["."], writable: true))
        {
            await device.WriteAsync(3 << 20, new byte[4608]);
            await device.DiscardAsync(3 << 20, ClusterSize);
            await device.WriteAsync(4 << 20, new byte[4608]);
            File.Copy(folder["image"], folder["killed"]);
        }
        var (status, output) = await Tool.TryRunAsync("qemu-img", "check", folder["killed"]);
        Assert.True(status == 3, output);
        await RequireSoundAfterOpenAsync(folder["killed"], folder["."]);
        Assert.Contains("No errors were found", await Tool.RunAsync("qemu-img", "check", folder["image"]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("the table is empty")]
    [InlineData("a block lies outside of the file")]
    [InlineData("a block is an L2 table")]
    [InlineData("the counts are noise")]
    public async Task Counts_that_cannot_be_trusted_are_made_anew(string damage)
    {
        using var folder = new TemporaryFolder();
        var image = await MakeAsync(folder["image"]);
        var table = (int)I64(image, RefcountTableAt);
        switch (damage)
        {
            case "the table is empty":
                image.AsSpan(table, ClusterSize).Clear();
                break;
            case "a block lies outside of the file":
                BinaryPrimitives.WriteInt64BigEndian(image.AsSpan(table + 8), 1L << 40);
                break;
            case "a block is an L2 table":
                BinaryPrimitives.WriteInt64BigEndian(image.AsSpan(table), I64(image, (int)I64(image, L1At)) & 0x00FF_FFFF_FFFF_FE00);
                break;
            default:
                new Random(1).NextBytes(image.AsSpan((int)I64(image, table), ClusterSize));
                break;
        }
        image[FeaturesAt + 7] = Dirty;
        await File.WriteAllBytesAsync(folder["image"], image);
        await RequireSoundAfterOpenAsync(folder["image"], folder["."]);
        await Tool.RunAsync("qemu-io", "-c", "read -P 7 1M 300k", "-c", "read -P 8 5M 1M", folder["image"]);
    }

    [Theory]
    [InlineData("a cluster is used twice")]
    [InlineData("an entry leads out of the file")]
    public async Task What_no_count_explains_is_marked_as_corrupt_and_can_be_read(string damage)
    {
        using var folder = new TemporaryFolder();
        var image = await MakeAsync(folder["image"]);
        var table = (int)(I64(image, (int)I64(image, L1At)) & 0x00FF_FFFF_FFFF_FE00);
        var (first, second) = (table + (1 << 20) / ClusterSize * 8, table + (5 << 20) / ClusterSize * 8);
        BinaryPrimitives.WriteInt64BigEndian(image.AsSpan(first), damage == "a cluster is used twice" ? I64(image, second) : long.MinValue | 1L << 40);
        image[FeaturesAt + 7] = Dirty;
        await File.WriteAllBytesAsync(folder["image"], image);
        for (var i = 0; i < 2; i++)
        {
            var refusal = await Assert.ThrowsAsync<DiskFormatException>(async () => await Qcow2File.OpenAsync(folder["image"], folder["."], writable: true));
            Assert.Contains("corrupt", refusal.Message, StringComparison.Ordinal);
        }
        Assert.Contains("corrupt: true", await Tool.RunAsync("qemu-img", "info", folder["image"]), StringComparison.Ordinal);
        await using var device = await Qcow2File.OpenAsync(folder["image"], folder["."], writable: false);
        var bytes = new byte[1 << 20];
        await device.ReadAsync(5 << 20, bytes);
        Assert.Equal(-1, bytes.AsSpan().IndexOfAnyExcept((byte)8));
    }

    [Fact]
    public async Task Corruption_found_while_it_runs_is_marked_and_nothing_is_written_any_more()
    {
        using var folder = new TemporaryFolder();
        var image = await MakeAsync(folder["image"]);
        var table = (int)(I64(image, (int)I64(image, L1At)) & 0x00FF_FFFF_FFFF_FE00);
        // Into the middle of a cluster.
        BinaryPrimitives.WriteInt64BigEndian(image.AsSpan(table), long.MinValue | ClusterSize + 512);
        await File.WriteAllBytesAsync(folder["image"], image);
        await using (var device = await Qcow2File.OpenAsync(folder["image"], folder["."], writable: true))
        {
            await device.WriteAsync(5 << 20, new byte[512]);
            await RefusedAsync(() => device.WriteAsync(0, new byte[512]));
            await RefusedAsync(() => device.WriteAsync(5 << 20, new byte[512]));
            await RefusedAsync(() => device.DiscardAsync(5 << 20, ClusterSize));
            await device.ReadAsync(5 << 20, new byte[512]);
        }
        Assert.Equal(Corrupt, (await File.ReadAllBytesAsync(folder["image"]))[FeaturesAt + 7] & Corrupt);

        static async Task RefusedAsync(Func<ValueTask> write) =>
            Assert.Equal(BlockDeviceError.Corrupt, (await Assert.ThrowsAsync<BlockDeviceException>(async () => await write())).Error);
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("two entries have one cluster", "is used 2 times, and counted 1 times")]
    [InlineData("an entry leads out of the file", "L2 entry 16 of L1 entry 0 leads to 1099511627776")]
    [InlineData("a cluster is counted as free", "is used 1 times, and counted 0 times")]
    [InlineData("it is marked corrupt", "it is marked corrupt")]
    [InlineData("it was not closed", null)]
    public async Task Damage_is_found_by_looking_and_nothing_is_changed(string damage, string? found)
    {
        using var folder = new TemporaryFolder();
        var image = await MakeAsync(folder["image"]);
        var table = (int)(I64(image, (int)I64(image, L1At)) & 0x00FF_FFFF_FFFF_FE00);
        var (first, second) = (table + (1 << 20) / ClusterSize * 8, table + (5 << 20) / ClusterSize * 8);
        switch (damage)
        {
            case "two entries have one cluster":
                BinaryPrimitives.WriteInt64BigEndian(image.AsSpan(first), I64(image, second));
                break;
            case "an entry leads out of the file":
                BinaryPrimitives.WriteInt64BigEndian(image.AsSpan(first), long.MinValue | 1L << 40);
                break;
            case "a cluster is counted as free":
                var counts = (int)I64(image, (int)I64(image, RefcountTableAt));
                BinaryPrimitives.WriteInt16BigEndian(image.AsSpan(counts + table / ClusterSize * 2), 0);
                break;
            case "it is marked corrupt":
                image[FeaturesAt + 7] = Corrupt;
                break;
            case "it was not closed":
                image[FeaturesAt + 7] = Dirty;
                break;
        }
        await File.WriteAllBytesAsync(folder["image"], image);
        var fault = await Volume.FindFaultAsync(folder["image"]);
        if (found is null)
            Assert.Null(fault);
        else
            Assert.Contains(found, fault, StringComparison.Ordinal);
        Assert.Equal(image, await File.ReadAllBytesAsync(folder["image"]));
    }

    [Fact]
    public async Task What_is_written_by_us_has_no_fault_open_or_closed()
    {
        using var folder = new TemporaryFolder();
        await Qcow2File.CreateAsync(folder["below"], Size);
        await Qcow2File.CreateAsync(folder["image"], Size, "below");
        await using (var device = await Qcow2File.OpenAsync(folder["image"], folder["."], writable: true))
        {
            await device.WriteAsync(3 << 20, new byte[300_000]);
            Assert.Null(await Volume.FindFaultAsync(folder["image"]));
            await device.DiscardAsync(3 << 20, 2 * ClusterSize);
        }
        Assert.Null(await Volume.FindFaultAsync(folder["image"]));
        File.Delete(folder["below"]);
        Assert.Contains("below is not there", (await Assert.ThrowsAsync<DiskFormatException>(async () => await Volume.FindFaultAsync(folder["image"]))).Message, StringComparison.Ordinal);
    }

    private static async Task<byte[]> MakeAsync(string path)
    {
        await Tool.RunAsync("qemu-img", "create", "-q", "-f", "qcow2", path, $"{Size}");
        await Tool.RunAsync("qemu-io", "-c", "write -P 7 1M 300k", "-c", "write -P 8 5M 1M", path);
        return await File.ReadAllBytesAsync(path);
    }

    private static async Task RequireSoundAfterOpenAsync(string path, string store)
    {
        await using (await Qcow2File.OpenAsync(path, store, writable: true))
        {
        }
        Assert.Contains("No errors were found", await Tool.RunAsync("qemu-img", "check", path), StringComparison.Ordinal);
        Assert.Equal(0, (await File.ReadAllBytesAsync(path))[FeaturesAt + 7]);
    }

    private static long I64(byte[] bytes, int at) => BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(at));
}
