using Slipway.Disks;
using Slipway.Tests;
using Slipway.Tests.Fuzz;
using Slipway.Volumes.Formats;
using Slipway.Volumes.Qcow2.Files;
using Slipway.Volumes.Tests.Store;

namespace Slipway.Volumes.Tests.Formats;

/// <summary>Damaged VHD, VHDX and VMDK images: a disk or a sentence, soon, and in little memory.</summary>
[Collection("Fuzz")]
public class ForeignFuzzTests
{
    private const int Executions = 300, Reads = 64;

    [Theory]
    [InlineData("vpc", "subformat=dynamic,force_size=on")]
    [InlineData("vhdx", "subformat=dynamic,block_size=1M")]
    [InlineData("vmdk", "subformat=monolithicSparse")]
    [InlineData("vmdk", "subformat=streamOptimized")]
    public async Task Any_bytes_are_a_disk_or_a_sentence(string format, string options)
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllBytesAsync(folder["raw"], Sample.Disk(1 << 20));
        await Tool.RunAsync("qemu-img", "convert", "-f", "raw", "-O", format, "-o", options, folder["raw"], folder["source"]);
        var whole = await File.ReadAllBytesAsync(folder["source"]);
        var places = Metadata(whole);
        var mutator = new Mutator(21);
        var (bytes, read) = (new byte[whole.Length], 0);
        await FuzzRun.ExecuteAsync(Executions, i =>
        {
            whole.CopyTo(bytes, 0);
            for (var changes = 1 + mutator.Next(3); changes > 0; changes--)
            {
                var place = places[mutator.Next(places.Count)];
                mutator.Mutate(whole.AsSpan(place, 16), whole.AsSpan(places[mutator.Next(places.Count)], 16), bytes.AsSpan(place, 16));
            }
            // Every second one with its checksums right: what they protect is damaged, and nobody notices by them.
            if (i % 2 == 0) Checksums.Mend(format, bytes);
            var length = mutator.Next(8) == 0 ? mutator.Next(bytes.Length) : bytes.Length;
            File.WriteAllBytes(folder["damaged"], bytes.AsSpan(0, length));
            try
            {
                ReadAsync(folder["damaged"]).GetAwaiter().GetResult();
                read++;
            }
            catch (DiskFormatException e)
            {
                Assert.NotEmpty(e.Message);
            }
        });
        Assert.InRange(read, 1, Executions - 1);
    }

    private static async Task ReadAsync(string path)
    {
        await using var file = ImageFile.Open(path, ImageAccess.Read);
        await using var disk = await DiskFormat.OpenAsync(file, CancellationToken.None);
        var buffer = new byte[4096];
        var at = 0L;
        for (var i = 0; i < Reads && at < disk.Length; i++)
        {
            var extent = await disk.GetExtentAsync(at);
            Assert.InRange(extent.Length, 1, disk.Length - at);
            await disk.ReadAsync(at, buffer.AsMemory(0, (int)Math.Min(buffer.Length, extent.Length)));
            at += extent.Length;
        }
    }

    // Where something stands that is no data: 16 bytes of the image, not all zero, outside of the disk's noise.
    private static List<int> Metadata(byte[] image)
    {
        var places = new List<int>();
        for (var at = 0; at + 16 <= image.Length; at += 16)
        {
            var piece = image.AsSpan(at, 16);
            if (piece.ContainsAnyExcept((byte)0) && piece.ToArray().Count(b => b is 0 or 0xFF) >= 4) places.Add(at);
        }
        return places;
    }
}
