using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Slipway.Tests;
using Slipway.Volumes.Import;
using Slipway.Volumes.Store;
using Slipway.Volumes.Tests.Formats;
using Slipway.Volumes.Tests.Store;

namespace Slipway.Volumes.Tests.Import;

/// <summary>Images as QEMU's tools, gzip, xz and zstd write them.</summary>
public class ImportTests
{
    [Theory]
    [InlineData("raw", "")]
    [InlineData("qcow2", "")]
    [InlineData("qcow2", "compat=0.10")]
    [InlineData("qcow2", "extended_l2=on,cluster_size=128k")]
    [InlineData("qcow2 -c", "compression_type=zlib")]
    [InlineData("qcow2 -c", "compression_type=zstd")]
    [InlineData("vpc", "subformat=dynamic,force_size=on")]
    [InlineData("vpc", "subformat=fixed,force_size=on")]
    [InlineData("vhdx", "subformat=dynamic")]
    [InlineData("vhdx", "subformat=dynamic,block_size=1M")]
    [InlineData("vhdx", "subformat=fixed")]
    [InlineData("vmdk", "subformat=monolithicSparse")]
    [InlineData("vmdk", "subformat=streamOptimized")]
    public async Task Formats_are_read_packed_or_not(string format, string options)
    {
        using var folder = new TemporaryFolder();
        var images = new ImageStore(folder["images"]);
        var content = Sample.Disk(40 << 20);
        await File.WriteAllBytesAsync(folder["raw"], content);
        await Tool.RunAsync("qemu-img", ["convert", "-f", "raw", "-O", .. format.Split(' '), .. (options.Length > 0 ? new[] { "-o", options } : []), folder["raw"], folder["source"]]);
        await Tool.RunAsync("gzip", "-k", folder["source"]);
        await Tool.RunAsync("xz", "-k0", folder["source"]);
        await Tool.RunAsync("zstd", "-q", folder["source"]);
        foreach (var end in new[] { "", ".gz", ".xz", ".zst" })
        {
            var image = await images.ImportAsync(folder["source" + end], "golden");
            Assert.Equal(("raw", content.Length), (image.Format, image.Size));
            var stored = await File.ReadAllBytesAsync(image.Path);
            Assert.True(content.AsSpan().SequenceEqual(stored), $"{format} {options} {end}");
            Assert.InRange(image.Bytes, 1, content.Length / 2);
            Assert.Null(await ImageStore.VerifyAsync(image));
        }
        Assert.Equal(8, Directory.GetFiles(folder["images"]).Length);
    }

    [Theory]
    [InlineData("gzip", ".gz")]
    [InlineData("xz", ".xz")]
    [InlineData("zstd -q --check", ".zst")]
    public async Task Packed_files_may_be_several_in_a_row_and_must_be_whole(string tool, string end)
    {
        using var folder = new TemporaryFolder();
        var images = new ImageStore(folder["images"]);
        var content = Sample.Disk();
        await File.WriteAllBytesAsync(folder["raw"], content);
        var words = tool.Split(' ');
        await Tool.RunAsync(words[0], [.. words[1..], "-k", folder["raw"]]);
        var packed = await File.ReadAllBytesAsync(folder["raw" + end]);
        await File.WriteAllBytesAsync(folder["two"], [.. packed, .. packed]);
        var image = await images.ImportAsync(folder["two"], "two");
        Assert.Equal(content.Concat(content).ToArray(), await File.ReadAllBytesAsync(image.Path));

        foreach (var length in new[] { packed.Length / 2, packed.Length - 1, packed.Length - 4, packed.Length - 20 })
        {
            await File.WriteAllBytesAsync(folder["short"], packed[..length]);
            var refusal = await Assert.ThrowsAsync<VolumeStoreException>(async () => await images.ImportAsync(folder["short"], "short"));
            Assert.Contains("damaged or cut short", refusal.Message, StringComparison.Ordinal);
        }
        packed[packed.Length / 2] ^= 8;
        await File.WriteAllBytesAsync(folder["flipped"], packed);
        await Assert.ThrowsAsync<VolumeStoreException>(async () => await images.ImportAsync(folder["flipped"], "flipped"));
        Assert.Equal(2, Directory.GetFiles(folder["images"]).Length);
    }

    /// <summary>What LVM and ZFS have as volumes.</summary>
    [Fact]
    public async Task A_block_device_is_imported()
    {
        using var folder = new TemporaryFolder();
        var content = Sample.Disk();
        await File.WriteAllBytesAsync(folder["raw"], content);
        var device = (await Tool.RunAsync("losetup", "--find", "--show", "--read-only", folder["raw"])).Trim();
        try
        {
            var image = await new ImageStore(folder["images"]).ImportAsync(device, "golden", Convert.ToHexString(SHA256.HashData(content)));
            Assert.Equal(content, await File.ReadAllBytesAsync(image.Path));
        }
        finally
        {
            await Tool.RunAsync("losetup", "--detach", device);
        }
    }

    [Fact]
    public async Task A_block_device_that_is_mounted_is_refused_and_one_that_is_imported_is_not_mounted()
    {
        using var folder = new TemporaryFolder();
        var images = new ImageStore(folder["images"]);
        await Tool.RunAsync("truncate", "-s", "8M", folder["raw"]);
        await Tool.RunAsync("mkfs.ext4", "-q", folder["raw"]);
        Directory.CreateDirectory(folder["mnt"]);
        var device = (await Tool.RunAsync("losetup", "--find", "--show", folder["raw"])).Trim();
        try
        {
            await Tool.RunAsync("mount", device, folder["mnt"]);
            try
            {
                var refusal = await Assert.ThrowsAsync<VolumeStoreException>(async () => await images.ImportAsync(device, "golden"));
                Assert.Contains($"{device} is in use (mounted", refusal.Message, StringComparison.Ordinal);
                Assert.Empty(Directory.GetFiles(folder["images"]));
            }
            finally
            {
                await Tool.RunAsync("umount", folder["mnt"]);
            }
            var mount = new Mounting(device, folder["mnt"]);
            await images.ImportAsync(device, "golden", progress: mount);
            Assert.Contains("busy", mount.Answer, StringComparison.Ordinal);
        }
        finally
        {
            await Tool.RunAsync("losetup", "--detach", device);
        }
    }

    [Theory]
    [InlineData("ftp://example.org/a.img")]
    [InlineData("file:///tmp/a.img")]
    public async Task Other_addresses_are_refused(string source)
    {
        using var folder = new TemporaryFolder();
        var refusal = await Assert.ThrowsAsync<VolumeStoreException>(async () => await new ImageStore(folder["images"]).ImportAsync(source, "golden"));
        Assert.Contains("http or https", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_must_not_be_imported_is_refused_and_leaves_nothing()
    {
        using var folder = new TemporaryFolder();
        var images = new ImageStore(folder["images"]);
        var content = Sample.Disk();
        await File.WriteAllBytesAsync(folder["raw"], content);
        foreach (var name in new[] { "../x", "", "a b", ".hidden", "a@1" })
            await Assert.ThrowsAsync<VolumeStoreException>(async () => await images.ImportAsync(folder["raw"], name));
        await RefusedAsync("raw", "Nothing was imported", new string('0', 64));
        await File.WriteAllBytesAsync(folder["empty"], []);
        await RefusedAsync("empty", "is empty");
        await Tool.RunAsync("qemu-img", "create", "-q", "-u", "-f", "qcow2", "-b", "/etc/passwd", "-F", "raw", folder["leaning"], "1M");
        await RefusedAsync("leaning", "backing file /etc/passwd");
        await Tool.RunAsync("qemu-img", "create", "-q", "-f", "vmdk", "-o", "subformat=monolithicFlat", folder["flat"], "1M");
        await RefusedAsync("flat", "other files");
        await Tool.RunAsync("qemu-img", "create", "-q", "-f", "vmdk", "-o", "subformat=twoGbMaxExtentSparse", folder["split.vmdk"], "1M");
        await RefusedAsync("split.vmdk", "other files");
        await Tool.RunAsync("qemu-img", "create", "-q", "-f", "vpc", folder["vhd"], "16M");
        await File.WriteAllBytesAsync(folder["short"], (await File.ReadAllBytesAsync(folder["vhd"]))[..^100]);
        await RefusedAsync("short", "cut short");
        await Tool.RunAsync("qemu-img", "convert", "-f", "raw", "-O", "qcow2", folder["raw"], folder["whole"]);
        await File.WriteAllBytesAsync(folder["child.vhd"], DifferencingVhd(await File.ReadAllBytesAsync(folder["vhd"]), "golden.vhd"));
        await RefusedAsync("child.vhd", "vhd: a differencing disk, which stands on golden.vhd: make it whole first");
        var qcow2 = await File.ReadAllBytesAsync(folder["whole"]);
        await File.WriteAllBytesAsync(folder["half"], qcow2[..(qcow2.Length / 2)]);
        await RefusedAsync("half", "outside of the file. Nothing was imported");
        // Incompatible features, bit 1 ("qcow2 header", bytes 72 to 79).
        qcow2[79] |= 2;
        await File.WriteAllBytesAsync(folder["corrupt"], qcow2);
        await RefusedAsync("corrupt", "marked corrupt");
        await Tool.RunAsync("qemu-img", "snapshot", "-c", "one", folder["whole"]);
        await RefusedAsync("whole", "internal snapshots (1)");
        await Tool.RunAsync("qemu-img", "convert", "-f", "raw", "-O", "vdi", folder["raw"], folder["vdi"]);
        await RefusedAsync("vdi", "vdi: this format is not read; `qemu-img convert");
        await Tool.RunAsync("tar", "-C", folder["."], "-cf", folder["ova"], "raw");
        await RefusedAsync("ova", "tar (or ova): this format is not read; unpack it first");
        await Tool.RunAsync("gzip", folder["ova"]);
        await RefusedAsync("ova.gz", "unpack it first");
        // Nobody writes to it, and opening it would wait for somebody who does.
        await Tool.RunAsync("mkfifo", folder["pipe"]);
        await RefusedAsync("pipe", "is a pipe");
        await RefusedAsync("pipe", "is a pipe", new string('0', 64));
        Assert.Empty(Directory.GetFiles(folder["images"]));
        Assert.Equal("b@1", (await images.ImportAsync(folder["raw"], "b", Convert.ToHexString(SHA256.HashData(content)))).Reference);

        async Task RefusedAsync(string source, string reason, string? hash = null)
        {
            var refusal = await Assert.ThrowsAsync<VolumeStoreException>(async () => await images.ImportAsync(folder[source], "b", hash));
            Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
        }
    }

    // QEMU makes none: a dynamic one that says so in its footer (twice) and has a name in its header.
    private static byte[] DifferencingVhd(byte[] dynamic, string parent)
    {
        foreach (var footer in (int[])[0, dynamic.Length - 512]) BinaryPrimitives.WriteInt32BigEndian(dynamic.AsSpan(footer + 60), 4);
        Encoding.BigEndianUnicode.GetBytes(parent, dynamic.AsSpan(512 + 64));
        Checksums.Mend("vpc", dynamic);
        return dynamic;
    }

    /// <summary>Tries to mount a device once its import is under way.</summary>
    private sealed class Mounting(string device, string folder) : IProgress<ImportProgress>
    {
        private readonly Lock _lock = new();

        public string? Answer { get; private set; }

        public void Report(ImportProgress value)
        {
            lock (_lock) Answer ??= Tool.RunAsync("sh", "-c", "mount \"$0\" \"$1\" 2>&1 || true", device, folder).GetAwaiter().GetResult();
        }
    }
}
