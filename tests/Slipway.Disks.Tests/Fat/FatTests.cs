using System.Text;
using CsCheck;
using Slipway.Disks.Fat;
using Slipway.Disks.FileSystems;
using Slipway.Tests;

namespace Slipway.Disks.Tests.Fat;

public class FatTests
{
    private const int Megabyte = 1 << 20;

    private static byte[] Content(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static readonly (string Path, byte[] Content)[] Files =
    [
        ("EFI/BOOT/BOOTX64.EFI", Content(300_001, 1)),
        ("EFI/BOOT/autoexec.ipxe", Encoding.ASCII.GetBytes("#!ipxe\ndhcp\n")),
        ("A long name with blanks, and more than thirteen letters.text", Content(5, 2)),
        ("A long name with blanks, and another end.text", Content(512, 3)),
        ("empty", []),
        ("sub/Ünïcode ☃.bin", Content(70_000, 4)),
        ("sub/deeper/still/grub.cfg", Content(4097, 5)),
    ];

    [Theory]
    [InlineData(16, 512, 4)]
    [InlineData(16, 512, 60)]
    [InlineData(16, 4096, 24)]
    [InlineData(32, 512, 40)]
    [InlineData(32, 4096, 300)]
    public async Task What_is_written_is_read_back_and_fsck_finds_no_fault(int bits, int sectorSize, int megabytes)
    {
        var disk = new MemoryDisk((long)megabytes * Megabyte);
        var image = new FatImage { Bits = bits, Label = "TEST" };
        foreach (var (path, content) in Files) image.Add(path, content);
        await image.WriteAsync(DiskRegion.Whole(disk), sectorSize);

        var volume = await FatVolume.TryOpenAsync(DiskRegion.Whole(disk));
        Assert.NotNull(volume);
        Assert.Equal((bits, "TEST"), (volume.Bits, volume.Label));
        foreach (var (path, content) in Files)
        {
            var file = await volume.FindAsync(path.ToUpperInvariant());
            Assert.NotNull(file);
            Assert.Equal(content, await volume.ReadAllAsync(file));
        }
        Assert.Null(await volume.FindAsync("EFI/BOOT/none"));
        Assert.Equal(["BOOTX64.EFI", "autoexec.ipxe"], (await volume.ListAsync((await volume.FindAsync("/efi/boot"))!)).Select(e => e.Name));

        using var folder = new TemporaryFolder();
        disk.Save(folder["fat"]);
        var check = await Tool.RunAsync("fsck.vfat", "-n", "-v", folder["fat"]);
        Assert.DoesNotContain("differences", check, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong", check, StringComparison.OrdinalIgnoreCase);
        if (sectorSize == 512)
        {
            await Tool.RunAsync("mcopy", "-i", folder["fat"], "::/A long name with blanks, and another end.text", folder["out"]);
            Assert.Equal(Files[3].Content, await File.ReadAllBytesAsync(folder["out"]));
        }
    }

    [Theory]
    [InlineData(12, 2)]
    [InlineData(16, 20)]
    [InlineData(32, 40)]
    public async Task Volumes_of_mkfs_and_mtools_are_read_and_files_overwritten_in_place(int bits, int megabytes)
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllBytesAsync(folder["fat"], new byte[megabytes * Megabyte]);
        await Tool.RunAsync("mkfs.vfat", "-F", $"{bits}", "-n", "LABEL", folder["fat"]);
        await Tool.RunAsync("mmd", "-i", folder["fat"], "::/EFI", "::/EFI/BOOT");
        var first = Content(90_000, 7);
        var second = Content(200_000, 8);
        foreach (var (name, content) in new[] { ("one", first), ("two", second) })
        {
            await File.WriteAllBytesAsync(folder[name], content);
            await Tool.RunAsync("mcopy", "-i", folder["fat"], folder[name], $"::/EFI/BOOT/{name} with a long name.efi");
        }
        // A file over the gap that another left is in two pieces; on FAT32 mtools goes on behind the last file instead.
        await Tool.RunAsync("mdel", "-i", folder["fat"], "::/EFI/BOOT/one with a long name.efi");
        var third = Content(400_000, 9);
        await File.WriteAllBytesAsync(folder["three"], third);
        await Tool.RunAsync("mcopy", "-i", folder["fat"], folder["three"], "::/EFI/BOOT/Three.efi");

        var disk = DiskFiles.Load(folder["fat"]);
        var volume = await FatVolume.TryOpenAsync(DiskRegion.Whole(disk));
        Assert.NotNull(volume);
        Assert.Equal((bits, "LABEL"), (volume.Bits, volume.Label));
        Assert.Equal(second, await volume.ReadAllAsync((await volume.FindAsync("efi/boot/two with a long name.efi"))!));
        var pieces = (await volume.FindAsync("EFI/BOOT/Three.efi"))!;
        Assert.Equal(third, await volume.ReadAllAsync(pieces));
        Assert.Equal(bits == 32 ? 1 : 2, (await volume.GetExtentsAsync(pieces)).Count);

        var changed = Content(300_000, 10);
        await volume.OverwriteAsync(pieces, 50_000, changed);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await volume.OverwriteAsync(pieces, 150_001, changed.AsMemory(0, 250_000)));
        disk.Save(folder["fat"]);
        await Tool.RunAsync("mcopy", "-n", "-o", "-i", folder["fat"], "::/EFI/BOOT/Three.efi", folder["out"]);
        byte[] expected = [.. third[..50_000], .. changed, .. third[350_000..]];
        Assert.Equal(expected, await File.ReadAllBytesAsync(folder["out"]));
        await Tool.RunAsync("fsck.vfat", "-n", folder["fat"]);
    }

    [Fact]
    public async Task The_same_content_is_the_same_bytes()
    {
        var images = new List<byte[]>();
        for (var i = 0; i < 2; i++)
        {
            var disk = new MemoryDisk(4 * Megabyte);
            var image = new FatImage();
            foreach (var (path, content) in Files) image.Add(path, content);
            await image.WriteAsync(DiskRegion.Whole(disk));
            var bytes = new byte[disk.Length];
            await disk.ReadAsync(0, bytes);
            images.Add(bytes);
        }
        Assert.Equal(images[0], images[1]);
    }

    [Theory]
    [InlineData("a*b")]
    [InlineData("trailing.")]
    [InlineData("nul\0")]
    public void Names_that_FAT_cannot_hold_are_refused(string name) => Assert.Throws<ArgumentException>(() => new FatImage().Add(name, new byte[1]));

    [Fact]
    public async Task Damage_is_a_format_exception_and_nothing_else()
    {
        var good = new MemoryDisk(4 * Megabyte);
        var image = new FatImage();
        foreach (var (path, content) in Files) image.Add(path, content);
        await image.WriteAsync(DiskRegion.Whole(good));
        var bytes = new byte[good.Length];
        await good.ReadAsync(0, bytes);
        // Damage in the boot sector, the tables, the root directory and the first directories.
        await Gen.Select(Gen.Int[0, 90_000], Gen.Byte.Array[1, 40], Gen.Int[0, 600], Gen.Byte).SampleAsync(async (at, junk, place, one) =>
        {
            var disk = new MemoryDisk(bytes);
            await disk.WriteAsync(at, junk);
            await disk.WriteAsync(place, new[] { one });
            try
            {
                if (await FatVolume.TryOpenAsync(DiskRegion.Whole(disk)) is not { } volume) return;
                foreach (var (path, _) in Files)
                {
                    if (await volume.FindAsync(path) is { } file) await volume.ReadAllAsync(file, 8 * Megabyte);
                }
            }
            catch (DiskFormatException)
            {
                // The documented answer to damage.
            }
        }, iter: 300, threads: 1);
    }
}
