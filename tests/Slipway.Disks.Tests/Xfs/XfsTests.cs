using Slipway.Disks.Booting;
using Slipway.Disks.FileSystems;
using Slipway.Disks.Mapping;
using Slipway.Disks.Partitions;
using Slipway.Disks.Xfs;
using Slipway.Tests;

namespace Slipway.Disks.Tests.Xfs;

public class XfsTests(XfsTree tree) : IClassFixture<XfsTree>
{
    [Theory]
    [InlineData("-b size=4096", 128)]
    [InlineData("-b size=1024", 64)]
    [InlineData("-b size=1024 -n size=8192 -i nrext64=1", 64)]
    [InlineData("-b size=4096 -s size=4096 -i nrext64=1,size=2048 -m rmapbt=1", 128)]
    [InlineData("-b size=4096 -m reflink=0,finobt=0,bigtime=0 -i sparse=0 -n size=65536", 64)]
    [InlineData("-b size=512 -m crc=0 -n ftype=0 -i size=256", 64)]
    [InlineData("-b size=1024 -m crc=0 -n ftype=1 -d agcount=7", 128)]
    [InlineData("-b size=4096 -m crc=0 -n ftype=0,size=16384 -i attr=1", 64)]
    public async Task Volumes_of_mkfs_are_read(string options, int megabytes)
    {
        using var folder = new TemporaryFolder();
        var old = options.Contains("crc=0", StringComparison.Ordinal);
        var root = old ? tree.RootWithLongLink : tree.Root;
        var image = await XfsImage.MakeAsync(folder, "image", root, megabytes, options);
        var disk = DiskFiles.Load(image);
        var volume = (await FileSystem.DetectAsync(DiskRegion.Whole(disk)))!;
        Assert.Equal(("xfs", "label", false), (volume.Kind, volume.Label, await volume.HasMoreInJournalAsync()));
        await SameAsync(volume, root);
        await SameMapAsync(volume, image, root);

        var kernel = await File.ReadAllBytesAsync(Path.Combine(root, "boot/vmlinuz-6.1"));
        foreach (var path in new[] { "/boot/vmlinuz-6.1", "vmlinuz", "/few/../vmlinuz", old ? "longlink" : "vmlinuz" })
            Assert.Equal(kernel, await volume.ReadAllAsync((await volume.FindAsync(path))!));
        Assert.Null(await volume.FindAsync("boot/none"));
        await Assert.ThrowsAsync<DiskFormatException>(async () => await volume.FindAsync("circle"));
    }

    /// <summary>What mkfs cannot make: trees of extents, holes, blocks reserved or shared, names removed, devices.</summary>
    [Theory]
    [InlineData("-b size=4096", 4096, 128)]
    [InlineData("-b size=1024 -i nrext64=1", 1024, 64)]
    public async Task What_Linux_wrote_is_read(string options, int blockSize, int megabytes)
    {
        using var folder = new TemporaryFolder();
        var image = await XfsImage.MakeAsync(folder, "image", null, megabytes, options);
        foreach (var name in new[] { "mounted", "copy" }) Directory.CreateDirectory(folder[name]);
        var write = $"""
            mount -t xfs -o loop {image} {folder["mounted"]}
            cd {folder["mounted"]}
            cp -a {tree.RootWithLongLink}/. .
            mkfifo fifo
            mknod null c 1 3
            cp boot/vmlinuz-6.1 pieces
            cp --reflink=always boot/vmlinuz-6.1 shared
            xfs_io -c 'pwrite -q -S 7 1m 64k' shared
            xfs_io -f -c 'falloc 0 1m' -c 'pwrite -q -S 9 256k 8k' -c 'falloc -k 1m 1m' reserved
            truncate -s 3000000 sparse
            printf here | dd of=sparse bs=1 seek=2000000 conv=notrunc status=none
            rm many/number-?[0-4]*
            sync
            seq 0 {2 * blockSize} 4999999 | sed 's/.*/fpunch & {blockSize}/' | xfs_io pieces >{folder["log"]}
            cp -a . {folder["copy"]}
            cp --sparse=always {image} {folder["mounted.img"]}
            cd /
            umount {folder["mounted"]}
            """;
        var (status, output) = await Tool.TryRunAsync("unshare", "-m", "sh", "-ec", write);
        Assert.True(status == 0, output);

        var disk = DiskFiles.Load(image);
        var volume = (await XfsVolume.TryOpenAsync(DiskRegion.Whole(disk)))!;
        Assert.EndsWith("(btree)", await XfsImage.FieldAsync(image, "/pieces", "core.format"), StringComparison.Ordinal);
        Assert.EndsWith(blockSize == 1024 ? "level = 2" : "level = 1", await XfsImage.FieldAsync(image, "/pieces", "u3.bmbt.level"), StringComparison.Ordinal);
        await SameAsync(volume, folder["copy"]);
        await SameMapAsync(volume, image, folder["copy"]);
        Assert.Equal(5_000_000, (await volume.FindAsync("longlink"))!.Length);
        Assert.Contains(await volume.GetExtentsAsync((await volume.FindAsync("reserved"))!), e => e.Unwritten);
        Assert.False(await volume.HasMoreInJournalAsync());
        Assert.True(await (await FileSystem.DetectAsync(DiskRegion.Whole(DiskFiles.Load(folder["mounted.img"]))))!.HasMoreInJournalAsync());

        // Shared blocks have one name, the rest of a file that shares some has its own.
        using var map = new DiskMap(disk);
        var places = (await XfsImage.BlockMapAsync(image, "/shared")).Select(async e => (await map.LocateAsync(e.DiskOffset)).Path);
        Assert.Equal(["/boot/vmlinuz-6.1", "/shared"], (await Task.WhenAll(places)).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Places_are_named_as_xfs_db_maps_them()
    {
        using var folder = new TemporaryFolder();
        var image = await XfsImage.MakeAsync(folder, "image", tree.Root, 64, "-b size=1024");
        using var map = new DiskMap(DiskFiles.Load(image));
        var random = new Random(4);
        foreach (var path in new[] { "/", "/boot/vmlinuz-6.1", "/many", "/some", "/few", "/boot/grub/grub.cfg", "/" + new string('n', 255) })
        {
            foreach (var extent in await XfsImage.BlockMapAsync(image, path))
            {
                // The last block of a file may be filled only in part: its first byte is the file's.
                var block = extent.DiskOffset + random.NextInt64(extent.Length / 1024) * 1024;
                Assert.Equal(("xfs", path), ((await map.LocateAsync(block)).FileSystem, (await map.LocateAsync(block)).Path));
            }
        }
        Assert.Equal("xfs file system", (await map.LocateAsync(0)).ToString());
    }

    /// <summary>As Fedora has it: /boot is a file system of its own, with entries of the Boot Loader Specification.</summary>
    [Fact]
    public async Task A_kernel_is_booted_from_it()
    {
        using var folder = new TemporaryFolder();
        const long Megabyte = 1 << 20;
        foreach (var path in new[] { "boot/loader/entries", "boot/grub2", "root/etc", "root/usr/sbin" }) Directory.CreateDirectory(folder[path]);
        foreach (var (path, text) in new[]
        {
            ("boot/loader/entries/id-6.9.4.conf", "title Fedora\nversion 6.9.4\nlinux /vmlinuz-6.9.4\ninitrd /initramfs-6.9.4.img $tuned_initrd\noptions $kernelopts\n"),
            ("boot/loader/entries/id-6.10.3.conf", "title Fedora\nversion 6.10.3\nlinux /vmlinuz-6.10.3\ninitrd /initramfs-6.10.3.img $tuned_initrd\noptions $kernelopts\n"),
            ("boot/grub2/grubenv", "# GRUB Environment Block\nsaved_entry=id-6.9.4\nkernelopts=ro rhgb quiet\n########\n"),
            ("boot/vmlinuz-6.9.4", "kernel"), ("boot/initramfs-6.9.4.img", "disk"), ("boot/vmlinuz-6.10.3", "newer"), ("boot/initramfs-6.10.3.img", "newer"),
            ("root/etc/fstab", ""), ("root/usr/sbin/init", ""),
        }) await File.WriteAllTextAsync(folder[path], text);
        File.CreateSymbolicLink(folder["root/sbin"], "usr/sbin");
        var disk = new MemoryDisk(132 * Megabyte);
        var identity = new Guid("00000000-0000-0000-0000-000000000007");
        await GptWriter.WriteAsync(disk, Guid.Empty,
        [
            new(1, PartitionTypes.LinuxFileSystem, 0, "", Megabyte, 64 * Megabyte),
            new(2, PartitionTypes.LinuxFileSystem, 0, "", 66 * Megabyte, 64 * Megabyte, identity),
        ]);
        foreach (var (name, offset) in new[] { ("boot", Megabyte), ("root", 66 * Megabyte) })
        {
            var content = DiskFiles.Load(await XfsImage.MakeAsync(folder, name + ".img", folder[name], 64, ""));
            await disk.WriteAsync(offset, await DiskRegion.Whole(content).ReadAsync(0, (int)content.Length, default));
        }

        var found = await BootFiles.FindAsync(disk);
        Assert.Equal(("/loader/entries/id-6.9.4.conf", $"ro rhgb quiet root=PARTUUID={identity} ro"), (found.Source, found.Arguments));
        Assert.Equal("kernel"u8.ToArray(), await found.Kernel.FileSystem.ReadAllAsync(found.Kernel.Entry));
        Assert.Equal("disk"u8.ToArray(), await found.Initrds[0].FileSystem.ReadAllAsync(found.Initrds[0].Entry));
    }

    /// <summary>Names, kinds, links and content are those of a folder.</summary>
    private static async Task SameAsync(IFileSystem volume, string folder)
    {
        await SameAsync(volume.Root, new DirectoryInfo(folder));

        async Task SameAsync(FileEntry directory, DirectoryInfo wanted)
        {
            var entries = (await volume.ListAsync(directory)).ToDictionary(e => e.Name);
            Assert.Equal(wanted.EnumerateFileSystemInfos().Select(e => e.Name).Order(StringComparer.Ordinal), entries.Keys.Order(StringComparer.Ordinal));
            foreach (var file in wanted.EnumerateFileSystemInfos())
            {
                var entry = entries[file.Name];
                if (file.LinkTarget is { } target)
                {
                    Assert.Equal(FileKind.SymbolicLink, entry.Kind);
                    Assert.Equal(target, System.Text.Encoding.UTF8.GetString(await volume.ReadAllAsync(entry)));
                }
                else if (file is DirectoryInfo inner)
                {
                    Assert.Equal((FileKind.Directory, 0), (entry.Kind, entry.Length));
                    await SameAsync(entry, inner);
                }
                else if (file.Name is "fifo" or "null") Assert.Equal(FileKind.Other, entry.Kind);
                else Assert.True((await volume.ReadAllAsync(entry)).AsSpan().SequenceEqual(File.ReadAllBytes(file.FullName)), $"{file.FullName} differs");
            }
        }
    }

    /// <summary>Extents are those that xfs_db tells, but for blocks that a file keeps past its end.</summary>
    private static async Task SameMapAsync(IFileSystem volume, string image, string folder)
    {
        var paths = new[] { "many", "some", "few", "boot" }.Concat(new DirectoryInfo(folder).EnumerateFiles().Where(f => f.LinkTarget is null).Select(f => f.Name))
            .Except(["fifo", "null"]).Append("boot/vmlinuz-6.1");
        foreach (var path in paths)
        {
            var entry = (await volume.FindAsync(path))!;
            var extents = await volume.GetExtentsAsync(entry);
            var wanted = await XfsImage.BlockMapAsync(image, "/" + path);
            if (wanted.Count == 0) continue; // In the inode.
            if (entry.Kind == FileKind.File)
                wanted = [.. wanted.Where(e => e.FileOffset < entry.Length).Select(e => e with { Length = Math.Min(e.Length, entry.Length - e.FileOffset) })];
            Assert.Equal(wanted, extents);
        }
    }
}
