using Slipway.Disks;
using Slipway.Tests;
using Slipway.Volumes.Qcow2;
using Slipway.Volumes.Qcow2.Headers;

namespace Slipway.Volumes.Tests.Qcow2;

/// <summary>An image goes over from the one that it stands on to what is under that; the power may go, or the process die, at every step.</summary>
public class Qcow2PullTests
{
    private const int Size = 3 << 20;
    private const string Upper = "middle", Lower = "bottom";

    [Theory]
    [InlineData("extended_l2=off")]
    [InlineData("extended_l2=on")]
    public async Task An_image_shows_the_same_wherever_a_pull_ends(string options)
    {
        using var folder = new TemporaryFolder();
        var (random, boot) = (new Random(1), Guid.NewGuid());
        var bottom = new byte[Size - (1 << 20)];
        random.NextBytes(bottom);
        var middle = await MakeAsync(Lower, "raw");
        await WriteAsync(middle, null, bottom, random);
        var top = await MakeAsync(Upper, "qcow2");
        await WriteAsync(top, middle, bottom, random);
        var shown = await ShownAsync(top, middle, bottom);

        var file = new RecordingFile(top.Content.ToArray()) { Boot = boot };
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

        async Task<MemoryFile> MakeAsync(string backing, string format)
        {
            await Tool.RunAsync("qemu-img", "create", "-q", "-f", "qcow2", "-o", options, "-u", "-b", backing, "-F", format, folder["image"], $"{Size}");
            return new(await File.ReadAllBytesAsync(folder["image"])) { Boot = boot };
        }

        async Task CheckAsync(byte[] content, Guid bootNow)
        {
            var left = new MemoryFile((byte[])content.Clone()) { Boot = bootNow };
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
