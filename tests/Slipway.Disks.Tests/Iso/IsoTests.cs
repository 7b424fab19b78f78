using Slipway.Disks.FileSystems;
using Slipway.Disks.Iso;
using Slipway.Disks.Mapping;
using Slipway.Tests;

namespace Slipway.Disks.Tests.Iso;

/// <summary>Images as genisoimage makes them.</summary>
public class IsoTests
{
    private static readonly string LongName = new('n', 200);

    [Fact]
    public async Task Rock_Ridge_has_long_names_links_and_deep_directories()
    {
        using var folder = new TemporaryFolder();
        var disk = await MakeAsync(folder, "-R");
        var volume = (await FileSystem.DetectAsync(DiskRegion.Whole(disk)))!;
        Assert.Equal(("iso9660", "LABEL"), (volume.Kind, volume.Label));
        // genisoimage leaves the folder where it moved deep directories to; what was in it is where it belongs.
        Assert.Equal(["Boot", "deep", "link", "many", "rr_moved"], (await volume.ListAsync(volume.Root)).Select(e => e.Name).Order(StringComparer.Ordinal));
        var kernel = await File.ReadAllBytesAsync(folder["root/Boot/vmlinuz-6.1"]);
        foreach (var path in new[] { "/Boot/vmlinuz-6.1", "link", "/deep/../link" })
            Assert.Equal(kernel, await volume.ReadAllAsync((await volume.FindAsync(path))!));
        Assert.Equal("1.2.3.4.5.6.7.8.9"u8.ToArray(), await volume.ReadAllAsync((await volume.FindAsync("deep/1/2/3/4/5/6/7/8/9/file"))!));
        Assert.Equal(300, (await volume.ListAsync((await volume.FindAsync("many"))!)).Count);
        Assert.Equal("long"u8.ToArray(), await volume.ReadAllAsync((await volume.FindAsync("Boot/" + LongName))!));
        Assert.Null(await volume.FindAsync("Boot/none"));

        var place = (await volume.GetExtentsAsync((await volume.FindAsync("link"))!)).Single().DiskOffset;
        using var map = new DiskMap(disk);
        Assert.Contains("/Boot/vmlinuz-6.1", (await map.LocateAsync(place + 4096)).ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-J", "Boot/vmlinuz-6.1")]
    [InlineData("-l", "boot/vmlinuz_6.1")]
    public async Task Without_it_names_are_Joliets_or_plain(string option, string path)
    {
        using var folder = new TemporaryFolder();
        var volume = (await FileSystem.DetectAsync(DiskRegion.Whole(await MakeAsync(folder, option))))!;
        Assert.Equal(await File.ReadAllBytesAsync(folder["root/Boot/vmlinuz-6.1"]), await volume.ReadAllAsync((await volume.FindAsync(path))!));
    }

    [Fact]
    public async Task Damage_is_said_and_no_loop_is_followed()
    {
        using var folder = new TemporaryFolder();
        var image = new byte[400 << 11];
        (await File.ReadAllBytesAsync((await SmallAsync(folder)))).AsSpan().CopyTo(image);
        var random = new Random(3);
        for (var run = 0; run < 2000; run++)
        {
            var bytes = image.ToArray();
            // Descriptors, path tables and directories lie in front.
            for (var i = 0; i < 8; i++) bytes[random.Next(16 << 11, 60 << 11)] = (byte)random.Next(256);
            try
            {
                if (await IsoVolume.TryOpenAsync(DiskRegion.Whole(new MemoryDisk(bytes))) is not { } volume) continue;
                foreach (var entry in await volume.ListAsync(volume.Root))
                {
                    foreach (var child in await volume.ListAsync(entry)) await volume.GetExtentsAsync(child);
                }
                await volume.FindAsync("link");
            }
            catch (DiskFormatException)
            {
                // What is wanted.
            }
        }
    }

    private static async Task<string> SmallAsync(TemporaryFolder folder)
    {
        Directory.CreateDirectory(folder["small/a/b"]);
        await File.WriteAllTextAsync(folder["small/a/b/" + LongName], "long");
        File.CreateSymbolicLink(folder["small/link"], "a/../a/b/" + LongName);
        await Tool.RunAsync("genisoimage", "-quiet", "-R", "-o", folder["small.iso"], folder["small"]);
        return folder["small.iso"];
    }

    private static async Task<MemoryDisk> MakeAsync(TemporaryFolder folder, string option)
    {
        var kernel = new byte[3_000_001];
        new Random(1).NextBytes(kernel);
        Directory.CreateDirectory(folder["root/Boot"]);
        Directory.CreateDirectory(folder["root/many"]);
        Directory.CreateDirectory(folder["root/deep/1/2/3/4/5/6/7/8/9"]);
        await File.WriteAllBytesAsync(folder["root/Boot/vmlinuz-6.1"], kernel);
        await File.WriteAllTextAsync(folder["root/Boot/" + LongName], "long");
        await File.WriteAllTextAsync(folder["root/deep/1/2/3/4/5/6/7/8/9/file"], "1.2.3.4.5.6.7.8.9");
        for (var i = 0; i < 300; i++) await File.WriteAllTextAsync(folder[$"root/many/file {i}"], $"{i}");
        File.CreateSymbolicLink(folder["root/link"], "./deep/../Boot//vmlinuz-6.1");
        await Tool.RunAsync("genisoimage", "-quiet", "-V", "LABEL", option, "-o", folder["image"], folder["root"]);
        return DiskFiles.Load(folder["image"]);
    }
}
