using System.Buffers.Binary;
using Slipway.Disks;
using Slipway.Tests;
using Slipway.Volumes.Qcow2;

namespace Slipway.Volumes.Tests.Qcow2;

/// <summary>The corners of the format: sizes, widths, and every field of a damaged image.</summary>
public class Qcow2FormatTests
{
    private const int Size = 1 << 20;

    /// <summary>What can be written at all is written into, whatever the size of its clusters.</summary>
    [Theory]
    [InlineData(512)]
    [InlineData(1024)]
    [InlineData(2048)]
    [InlineData(4096)]
    [InlineData(16384)]
    [InlineData(65536)]
    [InlineData(262144)]
    [InlineData(2097152)]
    [InlineData(16384, true)]
    [InlineData(65536, true)]
    [InlineData(2097152, true)]
    public async Task Clusters_of_every_size_are_written(int clusterSize, bool extended = false)
    {
        using var folder = new TemporaryFolder();
        var content = new byte[4 << 20];
        await Tool.RunAsync("qemu-img", "create", "-q", "-f", "qcow2", "-o", $"cluster_size={clusterSize},extended_l2={(extended ? "on" : "off")}", folder["image"], $"{content.Length}");
        var random = new Random(clusterSize);
        await using (var device = await Qcow2File.OpenAsync(folder["image"], folder["."], writable: true))
        {
            for (var i = 0; i < 30; i++)
            {
                var length = random.Next(1, 200) * 512;
                var offset = random.Next(0, (content.Length - length) / 512) * 512;
                random.NextBytes(content.AsSpan(offset, length));
                await device.WriteAsync(offset, content.AsMemory(offset, length));
            }
        }
        await File.WriteAllBytesAsync(folder["raw"], content);
        await Tool.RunAsync("qemu-img", "compare", "-f", "raw", "-F", "qcow2", folder["raw"], folder["image"]);
        Assert.Contains("No errors were found", await Tool.RunAsync("qemu-img", "check", folder["image"]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("refcount_bits=1", "reference counts")]
    [InlineData("refcount_bits=8", "reference counts")]
    [InlineData("refcount_bits=32", "reference counts")]
    [InlineData("compat=0.10", "version 2")]
    public async Task What_is_only_read_says_why_it_is_not_written(string options, string reason)
    {
        using var folder = new TemporaryFolder();
        await Tool.RunAsync("qemu-img", "create", "-q", "-f", "qcow2", "-o", options, folder["image"], $"{Size}");
        await Tool.RunAsync("qemu-io", "-c", "write -P 9 300k 200k", folder["image"]);
        await using (var device = await Qcow2File.OpenAsync(folder["image"], folder["."], writable: false))
        {
            var bytes = new byte[200 << 10];
            await device.ReadAsync(300 << 10, bytes);
            Assert.Equal(-1, bytes.AsSpan().IndexOfAnyExcept((byte)9));
        }
        var refusal = await Assert.ThrowsAsync<DiskFormatException>(async () => await Qcow2File.OpenAsync(folder["image"], folder["."], writable: true));
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_disk_of_64_TiB_is_written_at_both_ends()
    {
        using var folder = new TemporaryFolder();
        const long Huge = 64L << 40;
        await Qcow2File.CreateAsync(folder["image"], Huge);
        var bytes = new byte[4096];
        bytes.AsSpan().Fill(5);
        await using (var device = await Qcow2File.OpenAsync(folder["image"], folder["."], writable: true))
        {
            await device.WriteAsync(0, bytes);
            await device.WriteAsync(Huge - 4096, bytes);
        }
        await Tool.RunAsync("qemu-io", "-c", "read -P 5 0 4k", "-c", $"read -P 5 {Huge - 4096} 4k", "-c", $"read -P 0 {Huge / 2} 4k", folder["image"]);
        Assert.Contains("No errors were found", await Tool.RunAsync("qemu-img", "check", folder["image"]), StringComparison.Ordinal);
    }

    /// <summary>A table of one cluster of 512 bytes counts 8 MiB: it has to grow four times.</summary>
    [Fact]
    public async Task The_refcount_table_grows_with_the_file()
    {
        using var folder = new TemporaryFolder();
        var content = new byte[72 << 20];
        new Random(3).NextBytes(content);
        await Tool.RunAsync("qemu-img", "create", "-q", "-f", "qcow2", "-o", "cluster_size=512", folder["image"], $"{content.Length}");
        var before = await RefcountTableClustersAsync(folder["image"]);
        await using (var device = await Qcow2File.OpenAsync(folder["image"], folder["."], writable: true))
        {
            for (var at = 0; at < content.Length; at += 8 << 20) await device.WriteAsync(at, content.AsMemory(at, 8 << 20));
        }
        Assert.True(await RefcountTableClustersAsync(folder["image"]) > before);
        await File.WriteAllBytesAsync(folder["raw"], content);
        await Tool.RunAsync("qemu-img", "compare", "-f", "raw", "-F", "qcow2", folder["raw"], folder["image"]);
        Assert.Contains("No errors were found", await Tool.RunAsync("qemu-img", "check", folder["image"]), StringComparison.Ordinal);
    }

    /// <summary>Every field of header and tables, with the values that break things; reading, writing, and as a dirty image.</summary>
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false, true)]
    [InlineData(true, false, true)]
    [InlineData(true, true, true)]
    public async Task Every_field_may_hold_anything(bool writable, bool dirty, bool extended = false)
    {
        using var folder = new TemporaryFolder();
        await Tool.RunAsync("qemu-img", "create", "-q", "-f", "qcow2", "-o", extended ? "extended_l2=on,cluster_size=16k" : "cluster_size=4k", folder["image"], $"{Size}");
        await Tool.RunAsync("qemu-io", "-c", "write -P 3 0 64k", "-c", "write -z 128k 64k", folder["image"]);
        var image = await File.ReadAllBytesAsync(folder["image"]);
        if (dirty) image[79] |= 1;
        var clusterBits = BinaryPrimitives.ReadInt32BigEndian(image.AsSpan(20));
        var l1 = (int)I64(image, 40);
        var l2 = (int)(I64(image, l1) & 0x00FF_FFFF_FFFF_FE00);
        var refcounts = (int)I64(image, 48);
        var block = (int)I64(image, refcounts);
        // Header fields by their width (docs/interop/qcow2.txt), then an entry or two of each table.
        (int At, int Width)[] fields =
        [
            (0, 4), (4, 4), (8, 8), (16, 4), (20, 4), (24, 8), (32, 4), (36, 4), (40, 8), (48, 8), (56, 4), (60, 4), (64, 8), (72, 8), (80, 8), (88, 8),
            (96, 4), (100, 4), (104, 1), (112, 4), (116, 4), (120, 8),
            (l1, 8), (l2, 8), (l2 + 8, 8), (l2 + 33 * 8, 8), (refcounts, 8), (refcounts + 8, 8), (block, 2), (block + 2 * (l1 >> clusterBits), 2), (block + 2 * (l2 >> clusterBits), 2),
        ];
        ulong[] values =
        [
            0, 1, 2, 3, 4, 9, 16, 21, 22, 63, 64, 512, 4096, 4097, 65536, (ulong)l1, (ulong)l2, (ulong)refcounts, (ulong)block, (ulong)(uint)l2 | 1UL << 63,
            (ulong)image.Length, 1UL << 31, uint.MaxValue, 1UL << 40, 1UL << 55, 1UL << 62, 1UL << 63, 3UL << 62, long.MaxValue, ulong.MaxValue,
        ];
        foreach (var (at, width) in fields)
        {
            foreach (var value in values)
            {
                var damaged = (byte[])image.Clone();
                var bytes = new byte[8];
                BinaryPrimitives.WriteUInt64BigEndian(bytes, width == 8 ? value : value << (64 - 8 * width));
                bytes.AsSpan(0, width).CopyTo(damaged.AsSpan(at));
                var before = GC.GetAllocatedBytesForCurrentThread();
                await UseAsync(damaged, writable);
                var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
                // The file may grow by what a block of counts has room for, and is in memory here.
                Assert.True(allocated < (extended ? 1 << 30 : 256 << 20), $"the value {value:x} at {at} took {allocated} bytes");
            }
        }
    }

    /// <summary>Reads and writes what it can of an image; a refusal in words is as good.</summary>
    private static async Task UseAsync(byte[] image, bool writable)
    {
        try
        {
            await using var device = await Qcow2Device.OpenAsync(new MemoryFile(image) { IsReadOnly = !writable, Boot = Guid.NewGuid() },
                (_, _) => throw new DiskFormatException("no backing file is expected here"));
            var bytes = new byte[65536];
            for (var at = 0L; at < Math.Min(device.Length, Size); at += bytes.Length)
                await device.ReadAsync(at, bytes.AsMemory(0, (int)Math.Min(bytes.Length, device.Length - at)));
            if (!writable || device.Length < 256 << 10) return;
            await device.WriteAsync(4096, bytes.AsMemory(0, 8192));
            await device.WriteAsync(200 << 10, bytes.AsMemory(0, 512));
            await device.DiscardAsync(8192, 16384);
            await device.FlushAsync();
        }
        catch (DiskFormatException)
        {
            // Refused at opening.
        }
        catch (BlockDeviceException e) when (e.Error is BlockDeviceError.Corrupt or BlockDeviceError.NoSpace)
        {
            // Told when it was come upon.
        }
    }

    private static async Task<int> RefcountTableClustersAsync(string path)
    {
        var header = await File.ReadAllBytesAsync(path);
        return BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(56));
    }

    private static long I64(byte[] bytes, int at) => BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(at));
}
