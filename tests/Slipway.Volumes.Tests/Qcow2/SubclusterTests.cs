using Slipway.Disks;
using Slipway.Tests;
using Slipway.Volumes.Qcow2;
using Slipway.Volumes.Qcow2.Headers;
using Slipway.Volumes.Qcow2.Tables;

namespace Slipway.Volumes.Tests.Qcow2;

/// <summary>What an overlay gains by extended L2 entries, by QEMU's word.</summary>
public class SubclusterTests
{
    private const int Size = 1 << 20, Cluster = 64 << 10, Subcluster = 2048;

    [Fact]
    public async Task A_small_write_into_an_overlay_takes_what_it_touches_and_no_more()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllBytesAsync(folder["raw"], [.. Enumerable.Repeat((byte)1, Size)]);
        await Qcow2File.CreateAsync(folder["clone"], Size, "raw", "raw");
        await using (var device = await Qcow2File.OpenAsync(folder["clone"], folder["."], writable: true))
        {
            await device.WriteAsync(Cluster + 8192, Bytes(2, 4096));
            // Half of a subcluster: the other half comes from below.
            await device.WriteAsync(Cluster + 16384 + 1024, Bytes(3, 1024));
            await device.DiscardAsync(Cluster + 8192, Subcluster);
            Assert.Equal(new(Cluster + 8192, Subcluster, ExtentKind.Zero), await device.GetExtentAsync(Cluster + 8192));
            Assert.Equal((new(Cluster + 12288, 4096, ExtentKind.Data), true), await device.GetOriginAsync(Cluster + 12288, CancellationToken.None));
        }
        var map = await Tool.RunAsync("qemu-img", "map", "--output=json", folder["clone"]);
        Assert.Equal(2, map.Split("\"depth\": 0, \"present\": true, \"zero\": false").Length - 1);
        Assert.Contains($"\"start\": {Cluster + 8192}, \"length\": {Subcluster}, \"depth\": 0, \"present\": true, \"zero\": true", map, StringComparison.Ordinal);
        Assert.Contains($"\"start\": {Cluster + 8192 + Subcluster}, \"length\": {Subcluster}, \"depth\": 0", map, StringComparison.Ordinal);
        Assert.Contains($"\"start\": {Cluster + 16384}, \"length\": {Subcluster}, \"depth\": 0", map, StringComparison.Ordinal);
        await Tool.RunAsync("qemu-io", "-r", "-c", $"read -P 0 {Cluster + 8192} 2k", "-c", $"read -P 2 {Cluster + 10240} 2k", "-c", $"read -P 1 {Cluster + 16384} 1k", "-c", $"read -P 3 {Cluster + 17408} 1k", folder["clone"]);
        Assert.Contains("No errors were found", await Tool.RunAsync("qemu-img", "check", folder["clone"]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cluster_of_which_nothing_is_left_goes_back()
    {
        var file = new MemoryFile();
        await Qcow2Creation.WriteAsync(file, Size, "raw", "raw");
        await using var device = await Qcow2Device.OpenAsync(file, (_, _) => ValueTask.FromResult<IBlockDevice>(new MemoryDisk(Bytes(1, Size)) { IsReadOnly = true }));
        await device.WriteAsync(Cluster + 8192, Bytes(2, 8192));
        await device.DiscardAsync(Cluster + 8192, 4096);
        Assert.Equal(ExtentKind.Zero, (await device.GetExtentAsync(Cluster + 8192)).Kind);
        await device.DiscardAsync(Cluster + 12288, 4096);
        Assert.Equal(new(Cluster + 8192, 8192, ExtentKind.Hole), await device.GetExtentAsync(Cluster + 8192));
        await device.FlushAsync();
        var bytes = new byte[Cluster];
        await device.ReadAsync(Cluster, bytes);
        Assert.Equal([.. Bytes(1, 8192), .. new byte[8192], .. Bytes(1, Cluster - 16384)], bytes);
    }

    [Fact]
    public async Task A_write_beside_what_is_there_does_not_undo_another_one_there()
    {
        var file = new InterruptedFile();
        await Qcow2Creation.WriteAsync(file, Size, "raw", "raw");
        await using var device = await Qcow2Device.OpenAsync(file, (_, _) => ValueTask.FromResult<IBlockDevice>(new MemoryDisk(Bytes(1, Size)) { IsReadOnly = true }));
        await device.WriteAsync(Subcluster, Bytes(2, Subcluster));
        // One subcluster, and the beginning of the one that is there; another writes behind that meanwhile.
        file.Before = () => device.WriteAsync(Subcluster + 1024, Bytes(4, 512));
        await device.WriteAsync(0, Bytes(3, Subcluster + 512));
        Assert.Null(file.Before);
        var bytes = new byte[2 * Subcluster];
        await device.ReadAsync(0, bytes);
        Assert.Equal([.. Bytes(3, Subcluster + 512), .. Bytes(2, 512), .. Bytes(4, 512), .. Bytes(2, 512)], bytes);
    }

    /// <summary>Lets something else happen before the next write.</summary>
    private sealed class InterruptedFile : MemoryFile
    {
        public Func<ValueTask>? Before { get; set; }

        public override async ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation = default)
        {
            if (Before is { } before)
            {
                Before = null;
                await before();
            }
            await base.WriteAsync(offset, source, cancellation);
        }
    }

    /// <summary>Half of one entry and half of another would lead to bytes that were never the guest's.</summary>
    [Fact]
    public async Task Who_reads_an_entry_while_it_changes_sees_one_or_the_other()
    {
        var file = new MemoryFile();
        await Qcow2Creation.WriteAsync(file, Size, "raw");
        var table = L2Table.Empty(await Qcow2Header.ReadAsync(file, CancellationToken.None));
        var done = false;
        // More than there are processors: some are stopped between the two halves.
        var readers = Enumerable.Range(0, 4 * Environment.ProcessorCount).Select(_ => Task.Factory.StartNew(() =>
        {
            while (!Volatile.Read(ref done))
            {
                var (descriptor, bitmap) = table[5];
                Assert.Equal(descriptor, bitmap);
            }
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToList();
        for (var i = 1UL; i <= 5_000_000 && !readers.Any(r => r.IsFaulted); i++) table[5] = (i, i);
        Volatile.Write(ref done, true);
        await Task.WhenAll(readers);
    }

    private static byte[] Bytes(byte value, int length) => [.. Enumerable.Repeat(value, length)];
}
