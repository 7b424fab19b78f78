using Slipway.Disks;
using Slipway.Volumes.Layers;
using Slipway.Volumes.Qcow2;

namespace Slipway.Volumes.Tests.Qcow2;

/// <summary>Where the bytes of a chain are.</summary>
public class Qcow2ExtentTests
{
    private const int Cluster = 64 << 10, Clusters = 256, Layers = 4;

    [Fact]
    public async Task A_walk_through_a_chain_asks_each_image_in_proportion_to_its_size()
    {
        var bytes = Enumerable.Repeat((byte)7, Cluster).ToArray();
        // With holes of two clusters in each eight.
        var disk = new MemoryDisk(Clusters * Cluster);
        for (var cluster = 0; cluster < Clusters; cluster++)
        {
            if (cluster % 8 >= 2) await disk.WriteAsync(cluster * Cluster, bytes);
        }
        var bottom = new Counter(disk);
        var files = new List<byte[]>();
        for (var layer = 0; layer < Layers; layer++)
        {
            var file = new MemoryFile();
            await Qcow2Creation.WriteAsync(file, disk.Length, "below", "raw");
            await using (var device = await Qcow2Device.OpenAsync(file, (_, _) => OpenAsync(files.Count)))
            {
                // Each layer has every sixteenth cluster for itself, one further on.
                for (var cluster = layer; cluster < Clusters; cluster += 16) await device.WriteAsync(cluster * Cluster, bytes);
            }
            files.Add(file.Content.ToArray());
        }
        await using var top = (Qcow2Device)await OpenAsync(Layers);

        bottom.Calls = 0;
        var own = new List<long>();
        for (var at = 0L; at < top.Length;)
        {
            var (extent, isBelow) = await top.GetOriginAsync(at, CancellationToken.None);
            Assert.Equal(at, extent.Offset);
            if (!isBelow)
            {
                for (var cluster = at / Cluster; cluster * Cluster < at + extent.Length; cluster++) own.Add(cluster);
            }
            at += extent.Length;
        }
        Assert.Equal(Enumerable.Range(0, Clusters).Where(c => c % 16 == Layers - 1).Select(c => (long)c), own);
        Assert.InRange(bottom.Calls, 1, 2 * Clusters);

        var holes = new List<long>();
        for (var at = 0L; at < top.Length;)
        {
            var extent = await top.GetExtentAsync(at);
            if (extent.Kind == ExtentKind.Hole)
            {
                for (var cluster = at / Cluster; cluster * Cluster < at + extent.Length; cluster++) holes.Add(cluster);
            }
            at += extent.Length;
        }
        Assert.Equal(Enumerable.Range(0, Clusters).Where(c => c % 8 < 2 && c % 16 >= Layers).Select(c => (long)c), holes);
        Assert.InRange(bottom.Calls, 1, 4 * Clusters);

        async ValueTask<IBlockDevice> OpenAsync(int layers) => layers == 0
            ? bottom
            : await Qcow2Device.OpenAsync(new MemoryFile(files[layers - 1]) { IsReadOnly = true }, (_, _) => OpenAsync(layers - 1));
    }

    private sealed class Counter(IBlockDevice below) : LayerDevice(below)
    {
        public int Calls { get; set; }

        public override ValueTask<Extent> GetExtentAsync(long offset, CancellationToken cancellation = default)
        {
            Calls++;
            return base.GetExtentAsync(offset, cancellation);
        }
    }
}
