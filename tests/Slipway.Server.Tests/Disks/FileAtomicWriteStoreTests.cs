using Slipway.Disks;
using Slipway.Scsi.AtomicWriting;
using Slipway.Server.Disks;
using Slipway.Volumes;

namespace Slipway.Server.Tests.Disks;

public sealed class FileAtomicWriteStoreTests : IDisposable
{
    private static readonly byte[] New = [.. Enumerable.Repeat((byte)1, 1024)];
    private readonly TemporaryFolder _folder = new();
    private readonly MemoryDisk _disk = new(4096);

    private string Path => System.IO.Path.Combine(_folder.Path, "disk.img");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_a_crash_has_torn_is_completed_when_the_disk_is_opened()
    {
        var store = (await FileAtomicWriteStore.RecoverAsync(_disk, Path, CancellationToken.None))!;
        await store.SaveAsync(new AtomicWrite(512, new byte[1024], New));
        await _disk.WriteAsync(512, New.AsMemory(0, 512));
        await FileAtomicWriteStore.RecoverAsync(_disk, Path, CancellationToken.None);
        var found = new byte[1024];
        await _disk.ReadAsync(512, found);
        Assert.Equal(New, found);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task Nothing_is_left_of_a_write_that_has_ended()
    {
        var store = (await FileAtomicWriteStore.RecoverAsync(_disk, Path, CancellationToken.None))!;
        await store.SaveAsync(new AtomicWrite(512, new byte[1024], New));
        Assert.True(File.Exists(BesideDisk.AtomicWrite(Path)));
        await store.ClearAsync();
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(16 + 1024)]
    public async Task A_file_that_holds_no_write_is_told_of(int length)
    {
        await File.WriteAllBytesAsync(BesideDisk.AtomicWrite(Path), new byte[length]);
        var refusal = await Assert.ThrowsAsync<IOException>(async () => await FileAtomicWriteStore.RecoverAsync(_disk, Path, CancellationToken.None));
        Assert.Contains("Delete it to serve the disk without it.", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_is_gone_is_an_error_of_the_medium()
    {
        var store = (await FileAtomicWriteStore.RecoverAsync(_disk, System.IO.Path.Combine(_folder.Path, "gone", "disk.img"), CancellationToken.None))!;
        var refusal = await Assert.ThrowsAsync<BlockDeviceException>(async () => await store.SaveAsync(new AtomicWrite(0, New, New)));
        Assert.Contains("disk.img.atomic could not be changed", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_device_has_no_place_for_it() =>
        Assert.Null(await FileAtomicWriteStore.RecoverAsync(_disk, "/dev/sda", CancellationToken.None));
}
