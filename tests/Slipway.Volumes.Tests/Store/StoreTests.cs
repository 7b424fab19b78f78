using System.Security.Cryptography;
using Slipway.Tests;
using Slipway.Volumes.Store;

namespace Slipway.Volumes.Tests.Store;

public class StoreTests
{
    private static byte[] Content()
    {
        var content = new byte[4 << 20];
        new Random(1).NextBytes(content.AsSpan(1 << 20, 100_000));
        return content;
    }

    [Theory]
    [InlineData("raw")]
    [InlineData("qcow2")]
    public async Task A_clone_starts_as_its_image_and_leaves_it_alone(string format)
    {
        using var folder = new TemporaryFolder();
        var store = new VolumeStore(folder["state"]);
        var content = Content();
        await File.WriteAllBytesAsync(folder["raw"], content);
        await Tool.RunAsync("qemu-img", "convert", "-f", "raw", "-O", format, folder["raw"], folder["source"]);
        StoredImage image;
        await using (var source = File.OpenRead(folder["source"])) image = await store.Images.ImportAsync(source, "debian-12");
        Assert.Equal(("debian-12@1", format, (long)content.Length), (image.Reference, image.Format, image.Size));

        foreach (var name in new[] { "web01", "web02" })
        {
            var volume = await store.CloneAsync(name, image);
            Assert.Equal(("debian-12@1", (long)content.Length), (volume.Image, volume.Size));
        }
        await using (var disk = await store.OpenAsync(store.Find("web01"), writable: true))
        {
            await disk.WriteAsync(0, new byte[4096]);
            await disk.WriteAsync((1 << 20) + 512, content.AsMemory(0, 512));
            // Open for writing is open once; the other clone of the same image is free.
            await Assert.ThrowsAsync<IOException>(async () => await store.OpenAsync(store.Find("web01"), writable: true));
            Assert.Throws<VolumeStoreException>(() => VolumeStore.Remove(store.Find("web01")));
            await using var other = await store.OpenAsync(store.Find("web02"), writable: true);
            var read = new byte[content.Length];
            await other.ReadAsync(0, read);
            Assert.Equal(content, read);
        }
        Assert.Contains("No errors", await Tool.RunAsync("qemu-img", "check", store.Find("web01").Path), StringComparison.Ordinal);
        content.AsSpan((1 << 20) + 512, 512).Clear();
        await File.WriteAllBytesAsync(folder["raw"], content);
        await Tool.RunAsync("qemu-img", "compare", "-f", "raw", "-F", "qcow2", folder["raw"], store.Find("web01").Path);
        Assert.True(await ImageStore.VerifyAsync(image));

        var refusal = Assert.Throws<VolumeStoreException>(() => ImageStore.Remove(image, store.List()));
        Assert.Contains("web01, web02", refusal.Message, StringComparison.Ordinal);
        foreach (var volume in store.List()) VolumeStore.Remove(volume);
        ImageStore.Remove(image, store.List());
        Assert.Empty(store.Images.List());
    }

    [Fact]
    public async Task Versions_count_up_and_the_checksum_is_kept()
    {
        using var folder = new TemporaryFolder();
        var images = new ImageStore(folder["images"]);
        var content = Content();
        var hash = Convert.ToHexString(SHA256.HashData(content));
        for (var version = 1; version <= 2; version++)
            Assert.Equal(version, (await images.ImportAsync(new MemoryStream(content), "a", hash)).Version);
        Assert.Equal("a@2", images.Find("a").Reference);
        Assert.Equal("a@1", images.Find("a@1").Reference);
        Assert.Contains(": OK", await Tool.RunAsync("sh", "-c", $"cd {folder["images"]} && sha256sum -c 'a@2.raw.sha256'"), StringComparison.Ordinal);

        var wrong = await Assert.ThrowsAsync<VolumeStoreException>(async () => await images.ImportAsync(new MemoryStream(content), "b", new string('0', 64)));
        Assert.Contains("Nothing was imported", wrong.Message, StringComparison.Ordinal);
        Assert.Equal(["a", "a"], images.List().Select(i => i.Name));
        Assert.Equal(4, Directory.GetFiles(folder["images"]).Length);

        File.SetAttributes(images.Find("a@1").Path, FileAttributes.Normal);
        await using (var file = File.OpenWrite(images.Find("a@1").Path)) file.WriteByte(1);
        Assert.False(await ImageStore.VerifyAsync(images.Find("a@1")));
    }

    [Fact]
    public async Task What_must_not_be_imported_is_refused()
    {
        using var folder = new TemporaryFolder();
        var images = new ImageStore(folder["images"]);
        foreach (var name in new[] { "../x", "", "a b", ".hidden", "a@1" })
            await Assert.ThrowsAsync<VolumeStoreException>(async () => await images.ImportAsync(new MemoryStream(new byte[512]), name));
        await Assert.ThrowsAsync<VolumeStoreException>(async () => await images.ImportAsync(new MemoryStream(), "empty"));
        await Tool.RunAsync("qemu-img", "create", "-q", "-u", "-f", "qcow2", "-b", "/etc/passwd", "-F", "raw", folder["leaning"], "1M");
        await using var source = File.OpenRead(folder["leaning"]);
        var refusal = await Assert.ThrowsAsync<VolumeStoreException>(async () => await images.ImportAsync(source, "leaning"));
        Assert.Contains("backing file /etc/passwd", refusal.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(folder["images"]));
    }
}
