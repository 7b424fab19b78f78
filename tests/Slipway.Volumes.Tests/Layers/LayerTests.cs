using Slipway.Disks;
using Slipway.Disks.Fat;
using Slipway.Disks.Mapping;
using Slipway.Volumes.Layers;

namespace Slipway.Volumes.Tests.Layers;

public class LayerTests
{
    private static FaultLayer Faulty(IBlockDevice disk, params FaultRule[] rules) => new(disk, rules, new Random(1), TimeProvider.System);

    private static byte[] Ones(int length)
    {
        var bytes = new byte[length];
        bytes.AsSpan().Fill(1);
        return bytes;
    }

    [Fact]
    public async Task A_rule_spares_some_calls_and_meets_some()
    {
        await using var disk = Faulty(new MemoryDisk(65536), new FaultRule(FaultKind.Error, FaultOperations.Read) { Offset = 4096, Length = 512, After = 1, Times = 2, Error = BlockDeviceError.Corrupt });
        var buffer = new byte[512];
        await disk.ReadAsync(4096, buffer);
        await disk.ReadAsync(0, buffer);
        for (var i = 0; i < 2; i++)
        {
            var refusal = await Assert.ThrowsAsync<BlockDeviceException>(async () => await disk.ReadAsync(4096, buffer));
            Assert.Equal(BlockDeviceError.Corrupt, refusal.Error);
        }
        await disk.ReadAsync(4096, buffer);
        await disk.WriteAsync(4096, buffer);
    }

    [Fact]
    public async Task A_torn_write_stores_half_and_a_dropped_one_nothing()
    {
        var below = new MemoryDisk(65536);
        await using var disk = Faulty(below,
            new FaultRule(FaultKind.TornWrite, FaultOperations.Write) { Length = 4096 },
            new FaultRule(FaultKind.DroppedWrite, FaultOperations.Write) { Offset = 8192, Length = 4096 });
        await Assert.ThrowsAsync<BlockDeviceException>(async () => await disk.WriteAsync(0, Ones(2048)));
        await disk.WriteAsync(8192, Ones(512));
        var content = new byte[16384];
        await below.ReadAsync(0, content);
        Assert.Equal(1024, content.Count(b => b == 1));
    }

    [Fact]
    public async Task A_trace_names_the_file_that_was_read()
    {
        var below = new MemoryDisk(4 << 20);
        var image = new FatImage();
        image.Add("vmlinuz", new byte[5000]);
        await image.WriteAsync(DiskRegion.Whole(below));
        var volume = (await FatVolume.TryOpenAsync(DiskRegion.Whole(below)))!;
        var place = (await volume.GetExtentsAsync((await volume.FindAsync("vmlinuz"))!))[0].DiskOffset;

        var told = new List<TraceEntry>();
        using var map = new DiskMap(below);
        await using var disk = new TraceLayer(Faulty(below, new FaultRule(FaultKind.Error, FaultOperations.Flush)), told.Add, TimeProvider.System, map);
        await disk.ReadAsync(place, new byte[512]);
        await Assert.ThrowsAsync<BlockDeviceException>(async () => await disk.FlushAsync());
        Assert.Equal((TraceOperation.Read, place, 512, "/vmlinuz"), (told[0].Operation, told[0].Offset, told[0].Length, told[0].Place!.Path));
        Assert.Equal((TraceOperation.Flush, BlockDeviceError.Io), (told[1].Operation, told[1].Error));
    }
}
