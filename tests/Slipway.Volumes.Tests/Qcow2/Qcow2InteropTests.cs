using Slipway.Disks;
using Slipway.Tests;
using Slipway.Volumes.Qcow2;

namespace Slipway.Volumes.Tests.Qcow2;

/// <summary>What QEMU's tools write is read, and what is written here QEMU's tools read and find no fault in.</summary>
public class Qcow2InteropTests
{
    private const int Size = 8 << 20;

    private static byte[] Pattern(int seed)
    {
        var bytes = new byte[Size];
        var random = new Random(seed);
        // Runs of noise, of zeroes and of repeated text, so that some clusters compress and some are holes.
        for (var at = 0; at < Size;)
        {
            var run = Math.Min(random.Next(512, 300_000), Size - at);
            switch (random.Next(3))
            {
                case 0: random.NextBytes(bytes.AsSpan(at, run)); break;
                case 1: bytes.AsSpan(at, run).Fill((byte)random.Next(1, 255)); break;
            }
            at += run;
        }
        return bytes;
    }

    private static async Task<byte[]> ReadAllAsync(Qcow2Device device)
    {
        var bytes = new byte[device.Length];
        // Odd lengths, so that reads cross clusters in every way.
        for (var at = 0; at < bytes.Length; at += 77_824)
            await device.ReadAsync(at, bytes.AsMemory(at, Math.Min(77_824, bytes.Length - at)));
        return bytes;
    }

    [Theory]
    [InlineData("compat=1.1", false)]
    [InlineData("compat=0.10", false)]
    [InlineData("cluster_size=512", false)]
    [InlineData("cluster_size=2M", false)]
    [InlineData("compat=1.1", true)]
    [InlineData("compression_type=zstd", true)]
    [InlineData("cluster_size=4k,compression_type=zstd", true)]
    [InlineData("extended_l2=on", false)]
    [InlineData("lazy_refcounts=on", false)]
    [InlineData("preallocation=metadata", false)]
    [InlineData("refcount_bits=64", false)]
    public async Task Images_of_qemu_img_are_read(string options, bool compressed)
    {
        using var folder = new TemporaryFolder();
        var content = Pattern(options.Length);
        await File.WriteAllBytesAsync(folder["raw"], content);
        await Tool.RunAsync("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", .. (compressed ? new[] { "-c" } : []), "-o", options, folder["raw"], folder["image"]]);
        await using var device = await Qcow2File.OpenAsync(folder["image"], folder["."], writable: false);
        Assert.Equal(content, await ReadAllAsync(device));
    }

    [Fact]
    public async Task A_chain_of_qemu_img_over_a_raw_file_is_read()
    {
        using var folder = new TemporaryFolder();
        var content = Pattern(5);
        await File.WriteAllBytesAsync(folder["raw"], content);
        await Tool.RunAsync("qemu-img", "create", "-q", "-f", "qcow2", "-b", "raw", "-F", "raw", folder["one"]);
        await Tool.RunAsync("qemu-io", "-c", "write -P 17 1M 100k", "-c", "write -z 3M 1M", folder["one"]);
        await Tool.RunAsync("qemu-img", "create", "-q", "-f", "qcow2", "-o", "extended_l2=on,cluster_size=128k", "-b", "one", "-F", "qcow2", folder["two"]);
        await Tool.RunAsync("qemu-io", "-c", "write -P 18 1028k 8k", "-c", "discard 5M 1M", folder["two"]);
        content.AsSpan(1 << 20, 100 << 10).Fill(17);
        content.AsSpan(3 << 20, 1 << 20).Clear();
        content.AsSpan(1028 << 10, 8 << 10).Fill(18);
        content.AsSpan(5 << 20, 1 << 20).Clear();
        await using var device = await Qcow2File.OpenAsync(folder["two"], folder["."], writable: false);
        Assert.Equal(content, await ReadAllAsync(device));
    }

    [Fact]
    public async Task An_overlay_that_was_written_here_is_faultless_and_equal_for_qemu_img()
    {
        using var folder = new TemporaryFolder();
        var content = Pattern(6);
        await File.WriteAllBytesAsync(folder["raw"], content);
        await Tool.RunAsync("qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", folder["raw"], folder["golden"]);
        await Qcow2File.CreateAsync(folder["clone"], Size, "golden");
        var random = new Random(7);
        await using (var device = await Qcow2File.OpenAsync(folder["clone"], folder["."], writable: true))
        {
            for (var i = 0; i < 200; i++)
            {
                var length = random.Next(1, 300) * 512;
                var offset = random.Next(0, (Size - length) / 512) * 512;
                var bytes = new byte[length];
                if (i % 5 == 0) await device.DiscardAsync(offset, length);
                else
                {
                    random.NextBytes(bytes);
                    await device.WriteAsync(offset, bytes);
                }
                bytes.CopyTo(content, offset);
                if (i % 17 == 0) await device.FlushAsync();
            }
            Assert.Equal(content, await ReadAllAsync(device));
        }
        Assert.Contains("No errors were found", await Tool.RunAsync("qemu-img", "check", folder["clone"]), StringComparison.Ordinal);
        await File.WriteAllBytesAsync(folder["raw"], content);
        await Tool.RunAsync("qemu-img", "compare", "-f", "raw", "-F", "qcow2", folder["raw"], folder["clone"]);
    }

    [Fact]
    public async Task An_image_of_qemu_img_is_written_into_and_stays_faultless()
    {
        using var folder = new TemporaryFolder();
        var content = Pattern(8);
        await File.WriteAllBytesAsync(folder["raw"], content);
        await Tool.RunAsync("qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", "-o", "cluster_size=4k", folder["raw"], folder["image"]);
        var written = new byte[700_160];
        new Random(9).NextBytes(written);
        await using (var device = await Qcow2File.OpenAsync(folder["image"], folder["."], writable: true))
        {
            await device.WriteAsync(1_000_448, written);
            await device.WriteZeroesAsync(3_000_320, 1_000_448, mayDiscard: true);
        }
        written.CopyTo(content, 1_000_448);
        content.AsSpan(3_000_320, 1_000_448).Clear();
        Assert.Contains("No errors were found", await Tool.RunAsync("qemu-img", "check", folder["image"]), StringComparison.Ordinal);
        await File.WriteAllBytesAsync(folder["raw"], content);
        await Tool.RunAsync("qemu-img", "compare", "-f", "raw", "-F", "qcow2", folder["raw"], folder["image"]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Writers_at_the_same_time_lose_nothing(bool isOverlay)
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllBytesAsync(folder["raw"], Pattern(13));
        await Qcow2File.CreateAsync(folder["image"], Size, isOverlay ? "raw" : null, "raw");
        var content = Pattern(10);
        // Two share a subcluster.
        const int Piece = 1024;
        await using (var device = await Qcow2File.OpenAsync(folder["image"], folder["."], writable: true))
        {
            var order = Enumerable.Range(0, Size / Piece).ToArray();
            new Random(11).Shuffle(order);
            await Parallel.ForEachAsync(order, new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (page, _) =>
                await device.WriteAsync((long)page * Piece, content.AsMemory(page * Piece, Piece), CancellationToken.None));
            Assert.Equal(content, await ReadAllAsync(device));
        }
        Assert.Contains("No errors were found", await Tool.RunAsync("qemu-img", "check", folder["image"]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_changes_than_the_journal_has_room_for_are_made()
    {
        const long Large = 1L << 30;
        using var folder = new TemporaryFolder();
        await Qcow2File.CreateAsync(folder["golden"], Large);
        await Tool.RunAsync("qemu-img", "create", "-q", "-f", "qcow2", "-o", "cluster_size=4k", "-b", "golden", "-F", "qcow2", folder["clone"]);
        await using (var device = await Qcow2File.OpenAsync(folder["clone"], folder["."], writable: true))
        {
            // Each cluster takes an entry of its own.
            await device.DiscardAsync(0, Large);
            await device.WriteAsync(Large / 2, Pattern(12));
            File.Copy(folder["clone"], folder["killed"]);
        }
        await using (var device = await Qcow2File.OpenAsync(folder["killed"], folder["."], writable: true))
        {
            var bytes = new byte[Size];
            await device.ReadAsync(Large / 2, bytes);
            Assert.Equal(Pattern(12), bytes);
        }
        foreach (var name in (string[])["clone", "killed"])
            Assert.Contains("No errors were found", await Tool.RunAsync("qemu-img", "check", folder[name]), StringComparison.Ordinal);
        await Tool.RunAsync("qemu-img", "compare", folder["clone"], folder["killed"]);
    }

    [Fact]
    public async Task What_cannot_be_opened_is_refused_in_words()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["store"]);
        await File.WriteAllBytesAsync(folder["secret"], new byte[65536]);
        await Qcow2File.CreateAsync(folder["store/escape"], Size, "../secret");
        await RefusedAsync("store/escape", false, "outside of");
        await Qcow2File.CreateAsync(folder["store/circle"], Size, "circle");
        await RefusedAsync("store/circle", false, "chain");
        await Tool.RunAsync("qemu-img", "create", "-q", "-f", "qcow2", folder["store/snap"], "1M");
        await Tool.RunAsync("qemu-img", "snapshot", "-c", "one", folder["store/snap"]);
        await RefusedAsync("store/snap", false, "internal snapshots");
        await Tool.RunAsync("qemu-img", "create", "-q", "-f", "qcow2", "-o", "compat=0.10", folder["store/old"], "1M");
        await RefusedAsync("store/old", true, "version 2");
        await File.WriteAllBytesAsync(folder["store/raw"], new byte[65536]);
        await RefusedAsync("store/raw", false, "not a qcow2 image");

        async Task RefusedAsync(string name, bool writable, string reason)
        {
            var refusal = await Assert.ThrowsAsync<DiskFormatException>(async () => await Qcow2File.OpenAsync(folder[name], folder["store"], writable));
            Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
        }
    }
}
