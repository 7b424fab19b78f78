using System.Buffers.Binary;
using CsCheck;
using Slipway.Disks.FileSystems;
using Slipway.Disks.Mapping;
using Slipway.Disks.Xfs;
using Slipway.Tests;

namespace Slipway.Disks.Tests.Xfs;

public class XfsDamageTests(XfsTree tree) : IClassFixture<XfsTree>
{
    private const int SuperblockChecksum = 224, InodeChecksum = 100, DirectoryChecksum = 4, TreeChecksum = 64;

    [Fact]
    public async Task What_is_wrong_is_said_and_the_rest_is_read()
    {
        using var folder = new TemporaryFolder();
        var volume = await OpenAsync(await XfsImage.MakeAsync(folder, "image", tree.Root, 64, "-b size=1024"));
        var disk = (MemoryDisk)volume.Region.Disk;
        var kernel = await InodeAsync(volume, "boot/vmlinuz-6.1");
        var many = await InodeAsync(volume, "many");
        var (node, leaf) = (kernel.DiskOffset, (await volume.GetExtentsAsync(new("", FileKind.Directory, 0, many.Number)))[0].DiskOffset);

        await SaysAsync($"inode {kernel.Number} has a wrong checksum", "boot/vmlinuz-6.1", node, 512, b => b[57] ^= 1);
        await SaysAsync($"directory block of inode {many.Number} has a wrong checksum", "many/none", leaf, 4096, b => b[500] ^= 1);
        await SaysAsync($"inode {many.Number} says that it is inode 7's", "many/none", leaf, 4096, b => BinaryPrimitives.WriteUInt64BigEndian(b.AsSpan(40), 7), DirectoryChecksum);
        await SaysAsync("realtime device", "boot/vmlinuz-6.1", node, 512, b => b[91] |= 1, InodeChecksum);
        await SaysAsync("format 7", "boot/vmlinuz-6.1", node, 512, b => b[5] = 7, InodeChecksum);
        await SaysAsync("superblock has a wrong checksum", "boot", 0, 512, b => b[10] ^= 1);
        await SaysAsync("incompatible features 0xc00 are not understood", "boot", 0, 512, b => b[218] |= 0xC, SuperblockChecksum);
        await SaysAsync("needs xfs_repair", "boot", 0, 512, b => b[219] |= 0x10, SuperblockChecksum);
        await SaysAsync("version 3 is not understood", "boot", 0, 512, b => b[101] = 0xB3);

        // Its siblings are still there.
        await disk.WriteAsync(node, "XX"u8.ToArray());
        var damaged = (await XfsVolume.TryOpenAsync(volume.Region))!;
        Assert.Equal(["grub", "nothing", "vmlinuz-6.1"], (await damaged.ListAsync((await damaged.FindAsync("boot"))!)).Select(e => e.Name).Order(StringComparer.Ordinal));
        Assert.Equal("set timeout=0\n"u8.ToArray(), await damaged.ReadAllAsync((await damaged.FindAsync("boot/grub/grub.cfg"))!));

        async Task SaysAsync(string words, string path, long offset, int length, Action<byte[]> change, int? checksum = null)
        {
            var before = await DiskRegion.Whole(disk).ReadAsync(offset, length, default);
            var after = before.ToArray();
            change(after);
            if (checksum is { } field) BinaryPrimitives.WriteUInt32LittleEndian(after.AsSpan(field), StructureChecksum.Of(after, field));
            await disk.WriteAsync(offset, after);
            var error = await Assert.ThrowsAsync<DiskFormatException>(async () =>
            {
                var changed = (await XfsVolume.TryOpenAsync(volume.Region))!;
                await changed.ReadAllAsync((await changed.FindAsync(path))!);
            });
            Assert.Contains(words, error.Message, StringComparison.Ordinal);
            await disk.WriteAsync(offset, before);
        }
    }

    /// <summary>Structures are changed and, in version 5, given the checksum that they then have.</summary>
    [Theory]
    [InlineData("-b size=1024", true)]
    [InlineData("-b size=1024 -m crc=0 -n ftype=0", false)]
    public async Task Damage_is_a_format_exception_and_nothing_else(string options, bool version5)
    {
        using var folder = new TemporaryFolder();
        var volume = await OpenAsync(await XfsImage.MakeAsync(folder, "image", tree.Root, 64, options));
        var disk = volume.Region.Disk;
        string[] paths = ["many/number-0099-" + new string('x', 99), "some/none", "vmlinuz", "boot/grub/grub.cfg", XfsTree.Deep + "/deep"];
        var places = new List<(long Offset, int Length, int Checksum)> { (0, 512, SuperblockChecksum) };
        foreach (var path in new[] { "", "boot", "boot/vmlinuz-6.1", "many", "some", "few" })
        {
            var inode = await InodeAsync(volume, path);
            places.Add((inode.DiskOffset, inode.Bytes.Length, InodeChecksum));
            if (inode is { Kind: FileKind.Directory, Format: not XfsForkFormat.Local })
                places.Add(((await volume.GetExtentsAsync(new("", FileKind.Directory, 0, inode.Number)))[0].DiskOffset, 4096, DirectoryChecksum));
            if (inode.Format == XfsForkFormat.Tree)
            {
                var pointers = inode.Fork[(4 + (inode.Fork.Length - 4) / 16 * 8)..];
                places.Add(((await BlocksAsync(volume)).DiskOffset(BinaryPrimitives.ReadUInt64BigEndian(pointers.Span), 1), 1024, TreeChecksum));
            }
        }
        Assert.Contains(places, p => p.Checksum == TreeChecksum);

        // What is near the beginning matters most.
        var change = Gen.Select(Gen.Int[0, places.Count - 1], Gen.OneOf(Gen.Int[0, 255], Gen.Int[0, 4095]), Gen.OneOf(Gen.Byte, Gen.Int[0, 3].Select(i => (byte)(0xFF_80_01_00 >> (8 * i)))).Array[1, 8]);
        await change.Array[1, 2].SampleAsync(async changes =>
        {
            var before = new List<(long, byte[])>();
            foreach (var (index, at, junk) in changes)
            {
                var (offset, length, checksum) = places[index];
                var bytes = await DiskRegion.Whole(disk).ReadAsync(offset, length, default);
                before.Insert(0, (offset, bytes.ToArray()));
                junk.AsSpan(0, Math.Min(junk.Length, length - at % length)).CopyTo(bytes.AsSpan(at % length));
                if (version5) BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(checksum), StructureChecksum.Of(bytes, checksum));
                await disk.WriteAsync(offset, bytes);
            }
            if (await XfsVolume.TryOpenAsync(volume.Region) is { } damaged)
            {
                foreach (var path in paths)
                {
                    try
                    {
                        await damaged.HasMoreInJournalAsync();
                        if (await damaged.FindAsync(path) is { } file) await damaged.ReadAllAsync(file, 16 << 20);
                    }
                    catch (DiskFormatException)
                    {
                        // The documented answer to damage.
                    }
                }
            }
            using var map = new DiskMap(disk);
            await map.LocateAsync(0);
            foreach (var (offset, bytes) in before) await disk.WriteAsync(offset, bytes);
        }, iter: 200, threads: 1);
    }

    private static async Task<XfsVolume> OpenAsync(string image) => (await XfsVolume.TryOpenAsync(DiskRegion.Whole(DiskFiles.Load(image))))!;

    private static async Task<XfsBlocks> BlocksAsync(XfsVolume volume) =>
        new(volume.Region, XfsSuperblock.Parse(await volume.Region.ReadAsync(0, 512, default), volume.Region.Length));

    private static async Task<XfsInode> InodeAsync(XfsVolume volume, string path) =>
        await (await BlocksAsync(volume)).InodeAsync((await volume.FindAsync(path))!.Node, default);
}
