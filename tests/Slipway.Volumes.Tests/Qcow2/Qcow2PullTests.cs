using Slipway.Disks;
using Slipway.Volumes.Qcow2;

namespace Slipway.Volumes.Tests.Qcow2;

/// <summary>An image goes over from the one that it stands on to what is under that; the power may go, or the process die, at every step.</summary>
public class Qcow2PullTests
{
    private const int Size = 3 << 20;
    private const string Upper = "middle", Lower = "bottom";

    [Fact]
    public async Task An_image_shows_the_same_wherever_a_pull_ends()
    {
        var random = new Random(1);
        var bottom = new byte[Size - (1 << 20)];
        random.NextBytes(bottom);
        var middle = new MemoryFile { Boot = Guid.NewGuid() };
        await Qcow2Creation.WriteAsync(middle, Size, Lower, "raw");
        await WriteAsync(middle, null, bottom, random);
        var top = new MemoryFile { Boot = middle.Boot };
        await Qcow2Creation.WriteAsync(top, Size, Upper);
        await WriteAsync(top, middle, bottom, random);
        var shown = await ShownAsync(top, middle, bottom);

        var file = new RecordingFile(top.Content.ToArray()) { Boot = middle.Boot };
        await using (var device = await OpenAsync(file, middle, bottom))
        {
            await using var below = await OpenAsync(ReadOnly(middle), null, bottom);
            await Qcow2Pull.RunAsync(device, below, null, CancellationToken.None);
        }
        await Qcow2FirstSector.ChangeBackingAsync(file, Lower, "raw", CancellationToken.None);

        var steps = 0;
        foreach (var (_, medium) in file.PowerCuts(2, random)) await CheckAsync(medium, Guid.NewGuid());
        foreach (var (_, content) in file.Deaths()) await CheckAsync(content, file.Boot);
        Assert.True(steps > 50, $"only {steps} cuts");
        var header = await Qcow2Header.ReadAsync(file, CancellationToken.None);
        Assert.Equal((Lower, "raw"), (header.BackingFile, header.BackingFormat));

        async Task CheckAsync(byte[] content, Guid boot)
        {
            var left = new MemoryFile((byte[])content.Clone()) { Boot = boot };
            var now = await ShownAsync(left, middle, bottom);
            if (!shown.AsSpan().SequenceEqual(now)) Assert.Fail($"after {steps} cuts: other bytes");
            Qcow2Check.Sound(left.Content);
            steps++;
        }
    }

    private static async Task WriteAsync(MemoryFile file, MemoryFile? middle, byte[] bottom, Random random)
    {
        await using var device = await OpenAsync(file, middle, bottom);
        var bytes = new byte[100 << 10];
        for (var i = 0; i < 6; i++)
        {
            random.NextBytes(bytes);
            await device.WriteAsync(random.Next((Size - bytes.Length) / 512) * 512L, bytes);
            await device.DiscardAsync(random.Next((Size - bytes.Length) / 512) * 512L, bytes.Length);
        }
    }

    private static async Task<byte[]> ShownAsync(MemoryFile file, MemoryFile middle, byte[] bottom)
    {
        await using var device = await OpenAsync(file, middle, bottom);
        var bytes = new byte[Size];
        await device.ReadAsync(0, bytes);
        return bytes;
    }

    // By the name that the header has at that moment.
    private static ValueTask<Qcow2Device> OpenAsync(MemoryFile file, MemoryFile? middle, byte[] bottom) => Qcow2Device.OpenAsync(file, async (name, format) =>
        (name, format) switch
        {
            (Upper, "qcow2") => await OpenAsync(ReadOnly(middle!), null, bottom),
            (Lower, "raw") => new MemoryDisk(bottom) { IsReadOnly = true },
            _ => throw new DiskFormatException($"{name} of the format {format}"),
        });

    private static MemoryFile ReadOnly(MemoryFile file) => new(file.Content.ToArray()) { IsReadOnly = true, Boot = file.Boot };
}
