using Slipway.Tests;
using Slipway.Volumes.Store;

namespace Slipway.Volumes.Tests.Store;

public class ImageStoreTests
{
    [Fact]
    public async Task Versions_count_up_and_a_number_is_never_used_again()
    {
        using var folder = new TemporaryFolder();
        var store = new VolumeStore(folder["state"]);
        await File.WriteAllBytesAsync(folder["raw"], Sample.Disk());
        for (var version = 1; version <= 3; version++) Assert.Equal(version, (await store.Images.ImportAsync(folder["raw"], "a")).Version);
        Assert.Equal("a@3", store.Images.Find("a").Reference);
        store.RemoveImage("a");
        Assert.Equal("a@2", store.Images.Find("a").Reference);
        Assert.Equal("a@4", (await store.Images.ImportAsync(folder["raw"], "a")).Reference);
        Assert.Equal(["a@1", "a@2", "a@4"], store.Images.List().Select(i => i.Reference));
    }

    [Fact]
    public async Task A_changed_byte_is_found_where_it_is()
    {
        using var folder = new TemporaryFolder();
        var images = new ImageStore(folder["images"]);
        var content = Sample.Disk(20 << 20);
        await File.WriteAllBytesAsync(folder["raw"], content);
        var image = await images.ImportAsync(folder["raw"], "a");
        Assert.Null(await ImageStore.VerifyAsync(image));
        Assert.NotEqual(content.Length, image.Bytes);

        File.SetAttributes(image.Path, FileAttributes.Normal);
        foreach (var offset in new[] { 19 << 20, 9 << 20 })
        {
            await using (var file = File.OpenWrite(image.Path))
            {
                file.Position = offset;
                file.WriteByte((byte)~content[offset]);
            }
            Assert.Equal(offset / PieceHashes.PieceSize * PieceHashes.PieceSize, await ImageStore.VerifyAsync(image));
        }
    }

    /// <summary>By less than a piece and by more, where there are only zeroes and where there are none.</summary>
    [Theory]
    [InlineData((20 << 20) + 512, (20 << 20) + 512)]
    [InlineData(20 << 20, 20 << 20)]
    [InlineData(18 << 20, 16 << 20)]
    [InlineData(7 << 20, 4 << 20)]
    public async Task A_file_that_was_cut_or_has_grown_is_found(int length, int offset)
    {
        using var folder = new TemporaryFolder();
        var images = new ImageStore(folder["images"]);
        var content = Sample.Disk(19 << 20);
        await File.WriteAllBytesAsync(folder["raw"], content);
        await Tool.RunAsync("truncate", "-s", $"{(20 << 20) + 4096}", folder["raw"]);
        var image = await images.ImportAsync(folder["raw"], "a");

        await Tool.RunAsync("truncate", "-s", $"{length}", image.Path);
        Assert.Equal(offset, await ImageStore.VerifyAsync(image));
    }

    [Fact]
    public async Task Imports_at_the_same_time_get_a_version_each()
    {
        using var folder = new TemporaryFolder();
        var images = new ImageStore(folder["images"]);
        await File.WriteAllBytesAsync(folder["raw"], Sample.Disk());
        var made = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => images.ImportAsync(folder["raw"], "a").AsTask()));
        Assert.Equal(Enumerable.Range(1, 8), made.Select(i => i.Version).Order());
        Assert.Equal(16, Directory.GetFiles(folder["images"]).Length);
    }
}
