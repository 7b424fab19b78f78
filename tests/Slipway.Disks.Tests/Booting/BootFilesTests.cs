using System.Text;
using Slipway.Disks.Booting;
using Slipway.Disks.Fat;
using Slipway.Disks.FileSystems;
using Slipway.Disks.Partitions;

namespace Slipway.Disks.Tests.Booting;

public class BootFilesTests
{
    private const string Debian = """
        set timeout=5
        if [ -s $prefix/grubenv ]; then
          load_env
        fi
        if [ "${next_entry}" ] ; then
           set default="${next_entry}"
        else
           set default="0"
        fi
        if [ x"${feature_menuentry_id}" = xy ]; then
          menuentry_id_option="--id"
        fi
        function load_video {
          insmod all_video
        }
        menuentry 'Debian GNU/Linux' --class debian $menuentry_id_option 'gnulinux-simple-1' {
        	load_video
        	search --no-floppy --fs-uuid --set=root 1
        	echo	'Loading Linux 6.1.0-9 ...'
        	linux	/boot/vmlinuz-6.1.0-9 root=UUID=1 ro  quiet # a comment
        	initrd	/boot/initrd.img-6.1.0-9
        }
        submenu 'Advanced options for Debian GNU/Linux' $menuentry_id_option 'gnulinux-advanced-1' {
        	menuentry 'Debian GNU/Linux, with Linux 6.1.0-10' --class debian $menuentry_id_option 'gnulinux-10' {
        		linux	/boot/vmlinuz-6.1.0-10 root=UUID=1 ro
        		initrd	/boot/initrd.img-6.1.0-10
        	}
        }
        """;

    [Theory]
    [InlineData(Debian, "", "/boot/vmlinuz-6.1.0-9", "root=UUID=1 ro quiet")]
    [InlineData(Debian, "saved_entry=gnulinux-advanced-1>gnulinux-10", "/boot/vmlinuz-6.1.0-9", "root=UUID=1 ro quiet")]
    [InlineData("set default=\"${saved_entry}\"\n" + Debian, "saved_entry=gnulinux-advanced-1>gnulinux-10", "/boot/vmlinuz-6.1.0-9", "root=UUID=1 ro quiet")]
    [InlineData("set default='Advanced options for Debian GNU/Linux>0'\nset nothing=\"\"\n", "", null, "")]
    [InlineData("set a=\"x y\"\nlinux ($root)/vmlinuz-6.1.0-9 $a \"b c\" $unset 'd$e' f\\ g\ninitrd ($root)/initrd.img-6.1.0-9\nboot\n", "", "/vmlinuz-6.1.0-9", "x y b c d$e f g")]
    public void The_default_of_a_GRUB_configuration(string text, string environment, string? kernel, string arguments)
    {
        var entry = GrubConfiguration.Default(text, GrubEnvironmentBlock.Read(environment));
        Assert.Equal((kernel, arguments), (entry?.Kernel, entry?.Arguments ?? ""));
    }

    [Fact]
    public void A_saved_entry_in_a_submenu_is_found_by_its_ids()
    {
        var saved = Debian.Replace("set default=\"0\"", "set default=\"${saved_entry}\"", StringComparison.Ordinal);
        Assert.Equal("/boot/vmlinuz-6.1.0-10", GrubConfiguration.Default(saved, GrubEnvironmentBlock.Read("# GRUB Environment Block\nsaved_entry=gnulinux-advanced-1>gnulinux-10\n###"))!.Kernel);
        Assert.Equal("/boot/vmlinuz-6.1.0-9", GrubConfiguration.Default(saved, GrubEnvironmentBlock.Read("saved_entry=gone"))!.Kernel);
        Assert.Equal("/boot/vmlinuz-6.1.0-10", GrubConfiguration.Default(Debian.Replace("default=\"0\"", "default=1>0", StringComparison.Ordinal), GrubEnvironmentBlock.Read(""))!.Kernel);
    }

    [Fact]
    public void Loader_entries_are_ordered_by_version_and_the_default_can_be_named()
    {
        var files = new Dictionary<string, string>
        {
            ["fedora-6.9.0"] = "title F\nversion 6.9.0\nlinux /vmlinuz-6.9.0\ninitrd /initramfs-6.9.0.img $tuned_initrd\noptions $kernelopts $tuned_params\n",
            ["fedora-6.10.1"] = "title F\nversion 6.10.1\nlinux /vmlinuz-6.10.1\ninitrd /microcode.img\ninitrd /initramfs-6.10.1.img\noptions root=/dev/sda2 quiet\noptions extra\n",
            ["nothing"] = "title no kernel\n",
        };
        var environment = GrubEnvironmentBlock.Read("kernelopts=root=UUID=7 ro");
        var newest = LoaderEntries.Default(files, null, environment)!;
        Assert.Equal(("/vmlinuz-6.10.1", "root=/dev/sda2 quiet extra"), (newest.Kernel, newest.Arguments));
        Assert.Equal(["/microcode.img", "/initramfs-6.10.1.img"], newest.Initrds);
        var named = LoaderEntries.Default(files, "fedora-6.9.0", environment)!;
        Assert.Equal(("/vmlinuz-6.9.0", "root=UUID=7 ro", 1), (named.Kernel, named.Arguments, named.Initrds.Count));
        Assert.Equal("/vmlinuz-6.9.0", LoaderEntries.Default(files, "*-6.9*", environment)!.Kernel);
    }

    [Fact]
    public void The_default_of_an_extlinux_configuration()
    {
        const string Text = "DEFAULT two\nTIMEOUT 10\nLABEL one\n  KERNEL /one\nLABEL two\n  LINUX ../vmlinuz\n  APPEND initrd=/a.img root=/dev/sda2 quiet\n  INITRD /b.img\n";
        var entry = ExtlinuxConfiguration.Default(Text)!;
        Assert.Equal(("../vmlinuz", "root=/dev/sda2 quiet"), (entry.Kernel, entry.Arguments));
        Assert.Equal("/one", ExtlinuxConfiguration.Default(Text.Replace("DEFAULT two", "DEFAULT three", StringComparison.Ordinal))!.Kernel);
    }

    [Fact]
    public async Task What_is_configured_counts_before_links_and_links_before_the_newest()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var files = new Dictionary<string, byte[]>
        {
            ["boot/vmlinuz-6.1.0-9"] = [9], ["boot/initrd.img-6.1.0-9"] = [9, 9], ["boot/vmlinuz-6.1.0-10"] = [10], ["boot/initrd.img-6.1.0-10"] = [10, 10],
            ["boot/vmlinuz-6.1.0-11"] = [11], ["etc/fstab"] = [], ["sbin/init"] = [],
        };
        var newest = await BootFiles.FindAsync(await DiskAsync(files), cancellation);
        // The very newest has no RAM disk: it is being installed.
        Assert.Equal("/boot/vmlinuz-6.1.0-10", newest.Kernel.Path);
        Assert.Equal("root=PARTUUID=00000000-0000-0000-0000-000000000007 ro", newest.Arguments);
        Assert.Equal([10, 10], await ReadAsync(Assert.Single(newest.Initrds)));

        (files["vmlinuz"], files["initrd.img"]) = ([1], [1, 1]);
        Assert.Equal("/vmlinuz", (await BootFiles.FindAsync(await DiskAsync(files), cancellation)).Source);

        files["boot/grub/grub.cfg"] = Encoding.UTF8.GetBytes(Debian);
        var configured = await BootFiles.FindAsync(await DiskAsync(files), cancellation);
        Assert.Equal(("/boot/grub/grub.cfg", "/boot/vmlinuz-6.1.0-9", "root=UUID=1 ro quiet"), (configured.Source, configured.Kernel.Path, configured.Arguments));

        // A configuration that names what is not there does not stop what is.
        files["boot/grub/grub.cfg"] = "linux /gone\n"u8.ToArray();
        Assert.Equal("/vmlinuz", (await BootFiles.FindAsync(await DiskAsync(files), cancellation)).Source);

        var given = await BootFiles.FindAsync(await DiskAsync(files), "/boot/vmlinuz-6.1.0-11", ["/initrd.img"], cancellation);
        Assert.Equal([11], await ReadAsync(given.Kernel));
        Assert.Contains("/gone is in no partition", (await Assert.ThrowsAsync<DiskFormatException>(async () =>
            await BootFiles.FindAsync(await DiskAsync(files), "/gone", [], cancellation))).Message, StringComparison.Ordinal);
        Assert.Contains("no kernel was found", (await Assert.ThrowsAsync<DiskFormatException>(async () =>
            await BootFiles.FindAsync(await DiskAsync(new() { ["readme"] = [] }), cancellation))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_in_pieces_with_holes_is_streamed_from_any_place()
    {
        var content = new byte[10_000];
        new Random(5).NextBytes(content);
        content.AsSpan(3_000, 1_000).Clear();
        content.AsSpan(6_000, 500).Clear();
        var disk = new MemoryDisk(1 << 20);
        await disk.WriteAsync(50_000, content.AsMemory(0, 3_000), TestContext.Current.CancellationToken);
        await disk.WriteAsync(20_000, content.AsMemory(4_000), TestContext.Current.CancellationToken);
        var fileSystem = new Pieces(DiskRegion.Whole(disk),
            [new(0, 50_000, 3_000), new(4_000, 20_000, 2_000), new(6_000, 90_000, 500, Unwritten: true), new(6_500, 22_500, 3_500)]);
        await using var stream = await FileContentStream.OpenAsync(fileSystem, new("f", FileKind.File, content.Length, 1), TestContext.Current.CancellationToken);
        foreach (var start in (int[])[0, 1, 2_999, 3_000, 3_500, 4_000, 5_999, 6_001, 6_500, 9_999, 10_000])
        {
            stream.Position = start;
            using var read = new MemoryStream();
            await stream.CopyToAsync(read, 700, TestContext.Current.CancellationToken);
            Assert.Equal(content[start..], read.ToArray());
        }
    }

    private static async Task<MemoryDisk> DiskAsync(Dictionary<string, byte[]> files)
    {
        const long Megabyte = 1 << 20;
        var disk = new MemoryDisk(12 * Megabyte);
        await GptWriter.WriteAsync(disk, Guid.Empty,
            [new(1, PartitionTypes.LinuxFileSystem, 0, "", Megabyte, 8 * Megabyte, new Guid("00000000-0000-0000-0000-000000000007"))]);
        var image = new FatImage();
        foreach (var (path, content) in files)
            image.Add(path, content);
        await image.WriteAsync(new(disk, Megabyte, 8 * Megabyte));
        return disk;
    }

    private static async Task<byte[]> ReadAsync(BootFile file) => await file.FileSystem.ReadAllAsync(file.Entry);

    /// <summary>A file system with one file.</summary>
    private sealed class Pieces(DiskRegion region, FileExtent[] extents) : IFileSystem
    {
        public string Kind => "pieces";

        public string Label => "";

        public DiskRegion Region => region;

        public FileEntry Root => throw new NotSupportedException();

        public ValueTask<IReadOnlyList<FileEntry>> ListAsync(FileEntry directory, CancellationToken cancellation = default) => throw new NotSupportedException();

        public ValueTask<FileEntry?> FindAsync(string path, CancellationToken cancellation = default) => throw new NotSupportedException();

        public ValueTask<IReadOnlyList<FileExtent>> GetExtentsAsync(FileEntry file, CancellationToken cancellation = default) => new(extents);
    }
}
