using CsCheck;
using Slipway.Disks.Ext;
using Slipway.Disks.FileSystems;
using Slipway.Tests;

namespace Slipway.Disks.Tests.Ext;

public class ExtTests
{
    private static async Task<MemoryDisk> MakeAsync(TemporaryFolder folder, string type, string features, int blockSize)
    {
        var root = Directory.CreateDirectory(folder["root"]).FullName;
        Directory.CreateDirectory(Path.Combine(root, "boot/grub"));
        Directory.CreateDirectory(Path.Combine(root, "many"));
        var random = new Random(1);
        var kernel = new byte[5_000_000];
        random.NextBytes(kernel);
        await File.WriteAllBytesAsync(Path.Combine(root, "boot/vmlinuz-6.1"), kernel);
        await File.WriteAllTextAsync(Path.Combine(root, "boot/grub/grub.cfg"), "set timeout=0\n");
        await File.WriteAllTextAsync(Path.Combine(root, "boot/inline"), new string('x', 100));
        for (var i = 0; i < 400; i++) await File.WriteAllTextAsync(Path.Combine(root, $"many/a file with number {i:D4} and a long name"), $"{i}");
        File.CreateSymbolicLink(Path.Combine(root, "vmlinuz"), "boot/vmlinuz-6.1");
        File.CreateSymbolicLink(Path.Combine(root, "boot/around"), "../boot/./" + string.Concat(Enumerable.Repeat("../boot/", 12)) + "/vmlinuz-6.1");
        File.CreateSymbolicLink(Path.Combine(root, "circle"), "circle");
        await using (var sparse = File.Create(Path.Combine(root, "sparse")))
        {
            sparse.SetLength(3_000_000);
            sparse.Position = 2_000_000;
            sparse.Write("here"u8);
        }
        await Tool.RunAsync("mke2fs", "-q", "-t", type, "-O", features, "-b", $"{blockSize}", "-L", "label", "-m", "0", "-d", root, folder["image"], "24M");
        return DiskFiles.Load(folder["image"]);
    }

    [Theory]
    [InlineData("ext2", "^dir_index", 1024)]
    [InlineData("ext3", "dir_index", 4096)]
    [InlineData("ext4", "^has_journal", 4096)]
    [InlineData("ext4", "64bit,metadata_csum,inline_data", 1024)]
    [InlineData("ext4", "inline_data,^metadata_csum,^64bit", 2048)]
    public async Task Volumes_of_mke2fs_are_read(string type, string features, int blockSize)
    {
        using var folder = new TemporaryFolder();
        var disk = await MakeAsync(folder, type, features, blockSize);
        var volume = await FileSystem.DetectAsync(DiskRegion.Whole(disk));
        Assert.NotNull(volume);
        Assert.Equal((type, "label"), (volume.Kind, volume.Label));
        var kernel = await File.ReadAllBytesAsync(folder["root/boot/vmlinuz-6.1"]);
        foreach (var path in new[] { "/boot/vmlinuz-6.1", "vmlinuz", "/boot/around" })
            Assert.Equal(kernel, await volume.ReadAllAsync((await volume.FindAsync(path))!));
        foreach (var path in new[] { "boot/grub/grub.cfg", "boot/inline", "many/a file with number 0399 and a long name" })
            Assert.Equal(await File.ReadAllBytesAsync(folder["root/" + path]), await volume.ReadAllAsync((await volume.FindAsync(path))!));
        // With inline_data mke2fs 1.47 cuts a sparse file off after its last data; debugfs says the same.
        var sparse = await volume.ReadAllAsync((await volume.FindAsync("sparse"))!);
        Assert.Equal((await File.ReadAllBytesAsync(folder["root/sparse"]))[..sparse.Length], sparse);
        Assert.Equal(features.Contains("inline_data", StringComparison.Ordinal) ? 2_000_896 : 3_000_000, sparse.Length);
        Assert.Equal(400, (await volume.ListAsync((await volume.FindAsync("many"))!)).Count);
        Assert.Null(await volume.FindAsync("boot/none"));
        await Assert.ThrowsAsync<DiskFormatException>(async () => await volume.FindAsync("circle"));
    }

    [Fact]
    public async Task Extents_are_the_blocks_that_debugfs_tells()
    {
        using var folder = new TemporaryFolder();
        var disk = await MakeAsync(folder, "ext4", "^has_journal", 1024);
        var volume = (await ExtVolume.TryOpenAsync(DiskRegion.Whole(disk)))!;
        var blocks = (await Tool.RunAsync("debugfs", "-R", "blocks /boot/vmlinuz-6.1", folder["image"]))
            .Split('\n').First(l => l.Length > 0 && char.IsDigit(l[0])).Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(long.Parse).ToHashSet();
        var extents = await volume.GetExtentsAsync((await volume.FindAsync("/boot/vmlinuz-6.1"))!);
        var ours = extents.SelectMany(e => Enumerable.Range(0, (int)((e.Length + 1023) / 1024)).Select(i => e.DiskOffset / 1024 + i)).ToHashSet();
        // debugfs also counts the tree's own blocks.
        Assert.Subset(blocks, ours);
        Assert.Equal(5_000_000, extents.Sum(e => e.Length));
    }

    [Fact]
    public async Task A_file_overwritten_in_place_is_what_debugfs_reads()
    {
        using var folder = new TemporaryFolder();
        var disk = await MakeAsync(folder, "ext4", "metadata_csum", 4096);
        var volume = (await ExtVolume.TryOpenAsync(DiskRegion.Whole(disk)))!;
        await volume.OverwriteAsync((await volume.FindAsync("boot/grub/grub.cfg"))!, 4, "TIMEOUT"u8.ToArray());
        disk.Save(folder["image"]);
        Assert.Contains("set TIMEOUT=0", await Tool.RunAsync("debugfs", "-R", "cat /boot/grub/grub.cfg", folder["image"]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Damage_is_a_format_exception_and_nothing_else()
    {
        using var folder = new TemporaryFolder();
        var image = await MakeAsync(folder, "ext4", "inline_data,^has_journal", 1024);
        var bytes = new byte[image.Length];
        await image.ReadAsync(0, bytes);
        var volume = (await ExtVolume.TryOpenAsync(DiskRegion.Whole(image)))!;
        var table = (await volume.GetExtentsAsync((await volume.FindAsync("boot/inline"))!))[0].DiskOffset / 1024 * 1024;
        var disk = new MemoryDisk(bytes);
        await Gen.Select(Gen.Int[0, 4096], Gen.Byte.Array[1, 24], Gen.Int[-4096, 4096], Gen.Byte.Array[1, 24]).SampleAsync(async (near, junk, inode, more) =>
        {
            var (first, second) = (1024 + near, table + inode);
            await disk.WriteAsync(first, junk);
            await disk.WriteAsync(second, more);
            try
            {
                if (await ExtVolume.TryOpenAsync(DiskRegion.Whole(disk)) is not { } damaged) return;
                foreach (var path in new[] { "vmlinuz", "boot/inline", "sparse", "many/a file with number 0399 and a long name" })
                {
                    if (await damaged.FindAsync(path) is { } file) await damaged.ReadAllAsync(file, 16 << 20);
                }
            }
            catch (DiskFormatException)
            {
                // The documented answer to damage.
            }
            finally
            {
                await disk.WriteAsync(first, bytes.AsMemory(first, junk.Length));
                await disk.WriteAsync(second, bytes.AsMemory((int)second, more.Length));
            }
        }, iter: 150, threads: 1);
    }
}
