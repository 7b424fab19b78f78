using CsCheck;
using Slipway.Disks;
using Slipway.Tests;
using Slipway.Volumes.Qcow2;

namespace Slipway.Volumes.Tests.Qcow2;

public class Qcow2PropertyTests
{
    // The last cluster is cut short, and the last subcluster.
    private const int Size = (1 << 20) - 1536;

    // Shorter than the disk, and ends within a subcluster.
    private static readonly byte[] Below = MakeBelow();

    private static readonly Gen<(int Kind, int Sector, int Count, byte Value)[]> Operations =
        Gen.Select(Gen.Int[0, 9], Gen.Int[0, Size / 512 - 1], Gen.Int[1, 300], Gen.Byte).Array[1, 60];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task An_image_behaves_as_an_array_of_bytes_and_stays_faultless(bool isOverlay) => Operations.SampleAsync(async operations =>
    {
        var file = new FileWithoutHoles();
        await Qcow2Creation.WriteAsync(file, Size, isOverlay ? "below" : null, "raw");
        var model = new byte[Size];
        if (isOverlay) Below.CopyTo(model, 0);
        var device = await OpenAsync(file);
        foreach (var (kind, sector, count, value) in operations)
        {
            var offset = sector * 512;
            var length = Math.Min(count * 512, Size - offset);
            switch (kind)
            {
                case 0:
                    await device.FlushAsync();
                    break;
                case 1:
                    await device.DisposeAsync();
                    device = await OpenAsync(file);
                    break;
                case 2 or 3:
                    await device.DiscardAsync(offset, length);
                    model.AsSpan(offset, length).Clear();
                    break;
                default:
                    model.AsSpan(offset, length).Fill(value);
                    await device.WriteAsync(offset, model.AsMemory(offset, length));
                    break;
            }
        }
        var content = new byte[Size];
        await device.ReadAsync(0, content);
        await device.DisposeAsync();
        Assert.True(content.AsSpan().SequenceEqual(model));
        Qcow2Check.Sound(file.Content);
    }, iter: 100, threads: 1);

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, true)]
    [InlineData(4, true)]
    public async Task A_host_without_room_refuses_writes_and_nothing_is_damaged(int seed, bool isOverlay)
    {
        var file = new SmallFile { Boot = Guid.NewGuid() };
        await Qcow2Creation.WriteAsync(file, 64 << 20, isOverlay ? "below" : null, "raw");
        var random = new Random(seed);
        var model = new Dictionary<long, byte>();
        var refused = 0;
        await using (var device = await OpenAsync(file))
        {
            for (var i = 0; i < 400; i++)
            {
                var offset = random.NextInt64(64 << 20) & ~4095L;
                try
                {
                    await device.WriteAsync(offset, Enumerable.Repeat((byte)i, 4096).ToArray());
                    model[offset] = (byte)i;
                }
                catch (BlockDeviceException e) when (e.Error == BlockDeviceError.NoSpace)
                {
                    // Neither the old nor the new is promised; room comes in steps that end in the middle of everything.
                    model.Remove(offset);
                    refused++;
                    file.Room += random.Next(1, 40) * 4096;
                }
            }
        }
        Assert.True(refused > 20);
        Qcow2Check.Sound(file.Content);
        await using var again = await OpenAsync(file);
        var bytes = new byte[4096];
        foreach (var (offset, value) in model)
        {
            await again.ReadAsync(offset, bytes);
            Assert.Equal(-1, bytes.AsSpan().IndexOfAnyExcept(value));
        }
    }

    private static byte[] MakeBelow()
    {
        var bytes = new byte[Size * 3 / 4 + 512];
        new Random(4).NextBytes(bytes);
        return bytes;
    }

    /// <summary>What was there stays there: a cluster that is used again holds other bytes.</summary>
    private sealed class FileWithoutHoles : MemoryFile
    {
        public override void Discard(long offset, long length)
        {
        }
    }

    /// <summary>On a host that has only so much room.</summary>
    private sealed class SmallFile : MemoryFile
    {
        public long Room { get; set; } = 700 << 10;

        public override ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation = default) =>
            offset + source.Length > Math.Max(Room, Length) ? throw new BlockDeviceException(BlockDeviceError.NoSpace, "no room") : base.WriteAsync(offset, source, cancellation);
    }

    [Fact]
    public async Task Damage_is_told_and_nothing_else_happens()
    {
        using var folder = new TemporaryFolder();
        var content = new byte[Size];
        for (var i = 0; i < Size; i += 3) content[i] = (byte)(i / 1000);
        await File.WriteAllBytesAsync(folder["raw"], content);
        var images = new List<byte[]>();
        foreach (var options in (string[][])[["-o", "cluster_size=4k"], ["-c", "-o", "cluster_size=4k"], ["-c", "-o", "cluster_size=4k,compression_type=zstd"], ["-o", "extended_l2=on,cluster_size=16k"]])
        {
            await Tool.RunAsync("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", .. options, folder["raw"], folder["image"]]);
            images.Add(await File.ReadAllBytesAsync(folder["image"]));
        }
        // A field of the header, or a place in the tables behind it.
        await Gen.Select(Gen.Int[0, 3], Gen.OneOf(Gen.Int[0, 112], Gen.Int[0, 20_000], Gen.Int[64 << 10, 66 << 10]), Gen.Byte.Array[1, 8], Gen.Bool).SampleAsync(async (which, at, junk, writable) =>
        {
            var image = (byte[])images[which].Clone();
            junk.CopyTo(image, Math.Min(at, image.Length - junk.Length));
            try
            {
                await using var device = await Qcow2Device.OpenAsync(new MemoryFile(image) { IsReadOnly = !writable },
                    (_, _) => throw new DiskFormatException("no backing file is expected here"));
                if (device.Length > 64 << 20) return;
                var buffer = new byte[65536];
                for (var offset = 0L; offset < device.Length; offset += buffer.Length)
                    await device.ReadAsync(offset, buffer.AsMemory(0, (int)Math.Min(buffer.Length, device.Length - offset)));
                if (writable && device.Length >= 8192) await device.WriteAsync(4096, content.AsMemory(0, 4096));
            }
            catch (DiskFormatException)
            {
                // Refused at opening.
            }
            catch (BlockDeviceException e) when (e.Error is BlockDeviceError.Corrupt or BlockDeviceError.NoSpace)
            {
                // Told when it was come upon.
            }
        }, iter: 1500, threads: 1);
    }

    private static ValueTask<Qcow2Device> OpenAsync(MemoryFile file) => Qcow2Device.OpenAsync(file, (name, _) => name == "below"
        ? ValueTask.FromResult<IBlockDevice>(new MemoryDisk(Below) { IsReadOnly = true })
        : throw new DiskFormatException("no backing file is expected here"));
}
