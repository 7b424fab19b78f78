using Slipway.Disks;
using Slipway.Tests;
using Slipway.Volumes.Store;

namespace Slipway.Volumes.Tests.Store;

public sealed class VolumeStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly VolumeStore _store;
    private readonly byte[] _content = Sample.Disk();

    public VolumeStoreTests() => _store = new(_folder["state"]);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_clone_starts_as_its_image_and_leaves_it_alone()
    {
        var image = await ImportAsync("debian-12", _content);
        foreach (var name in new[] { "web01", "web02" })
        {
            var volume = await _store.CloneAsync(name, image, new(Machine: name));
            Assert.Equal(("debian-12@1", (long)_content.Length, name), (volume.Image, volume.Size, volume.Machine));
        }
        await using (var disk = await _store.ServeAsync("web01"))
        {
            await disk.WriteAsync(0, new byte[4096]);
            await disk.WriteAsync(_content.Length / 2 + 512, new byte[512]);
            await using var other = await _store.ServeAsync("web02");
            Assert.Equal(_content, await ReadAllAsync(other));
        }
        _content.AsSpan(0, 4096).Clear();
        _content.AsSpan(_content.Length / 2 + 512, 512).Clear();
        await AssertIsAsync("web01", _content);
        Assert.Null(await ImageStore.VerifyAsync(image));

        var refusal = Assert.Throws<VolumeStoreException>(() => _store.RemoveImage("debian-12"));
        Assert.Contains("web01, web02", refusal.Message, StringComparison.Ordinal);
        foreach (var volume in _store.List()) _store.Remove(volume.Name);
        _store.RemoveImage("debian-12");
        Assert.Empty(_store.Images.List());
        Assert.Empty(Directory.GetFiles(_folder["state/volumes"]));
    }

    [Theory]
    [InlineData(1000, "multiple of 512")]
    [InlineData(100_000L << 40, "2048 TiB are the most")]
    public async Task A_size_that_no_disk_has_is_refused_and_leaves_nothing(long size, string reason)
    {
        var refusal = await Assert.ThrowsAnyAsync<Exception>(async () => await _store.CreateAsync("web01", size, new(Machine: "web01")));
        Assert.True(refusal is VolumeStoreException or DiskFormatException, refusal.ToString());
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
        Assert.Empty(_store.List());
        Assert.Empty(Directory.GetFiles(_folder["state/volumes"]));
    }

    [Fact]
    public async Task The_list_has_each_volume_with_its_snapshots()
    {
        foreach (var name in new[] { "web", "web.1", "web-1" }) await _store.CreateAsync(name, 1 << 20);
        await _store.SnapshotAsync("web", "one");
        await _store.SnapshotAsync("web", "two.2");
        await _store.SnapshotAsync("web.1", "one");
        Assert.Equal(["web: one two.2", "web-1: ", "web.1: one"], _store.List().Select(v => $"{v.Name}: {string.Join(' ', v.Snapshots.Select(s => s.Name))}"));
        foreach (var volume in _store.List()) Assert.Equal(_store.Find(volume.Name).Snapshots, volume.Snapshots);
    }

    [Fact]
    public async Task A_volume_in_use_is_refused_with_who_uses_it()
    {
        await _store.CloneAsync("web01", await ImportAsync("a", _content));
        await using (var disk = await _store.ServeAsync("web01"))
        {
            foreach (var refused in new Func<Task>[]
            {
                async () => await _store.ServeAsync("web01"),
                async () => await _store.FlattenAsync("web01"),
                async () => await _store.ExportAsync("web01", _folder["out"], "raw"),
                () => Task.FromResult(_store.Remove("web01")),
            })
            {
                var refusal = await Assert.ThrowsAsync<VolumeStoreException>(refused);
                Assert.Contains("web01 is in use by this process", refusal.Message, StringComparison.Ordinal);
            }
            // QEMU's tools keep away as well: to write, to check, and from the image below.
            foreach (var arguments in new string[][] { ["check", disk.Path], ["resize", disk.Path, "+1M"], ["resize", "-f", "raw", _store.Images.Find("a").Path, "+1M"] })
            {
                var (status, output) = await Tool.TryRunAsync("qemu-img", arguments);
                Assert.True(status != 0 && output.Contains("lock", StringComparison.Ordinal), output);
            }
            Assert.Equal(_content, await ReadAllAsync(await _store.OpenToReadAsync("web01")));
        }
        await _store.FlattenAsync("web01");
    }

    [Fact]
    public async Task An_image_that_qemu_writes_is_refused()
    {
        var volume = await _store.CloneAsync("web01", await ImportAsync("a", _content));
        using var holder = await Background.StartAsync("qemu-nbd", ["--persistent", "--socket", _folder["nbd"], "--format", "qcow2", volume.Path], () => File.Exists(_folder["nbd"]));
        // Its socket is there before it opens the image: a client that was answered knows that it has.
        await Tool.RunAsync("qemu-img", "info", "nbd+unix:///?socket=" + _folder["nbd"]);
        var refusal = await Assert.ThrowsAsync<VolumeStoreException>(async () => await _store.ServeAsync("web01"));
        Assert.Contains($"in use by qemu-nbd (process {holder.Id})", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Snapshots_are_kept_and_gone_back_to()
    {
        await _store.CloneAsync("web01", await ImportAsync("a", _content));
        await WriteAsync("web01", 0, 1);
        await _store.SnapshotAsync("web01", "one");
        await WriteAsync("web01", 4096, 2);
        await _store.SnapshotAsync("web01", "two");
        await WriteAsync("web01", 8192, 3);
        Assert.Equal(["one", "two"], _store.Find("web01").Snapshots.Select(s => s.Name));
        Assert.Equal("a@1", _store.Find("web01").Image);
        Assert.Equal((1, 2, 3), await BytesAsync("web01"));
        Assert.Equal((1, _content[4096], _content[8192]), await BytesAsync("web01@one"));

        await _store.RollBackAsync("web01", "one");
        Assert.Equal((1, _content[4096], _content[8192]), await BytesAsync("web01"));
        await _store.RollBackAsync("web01", "two");
        Assert.Equal((1, 2, _content[8192]), await BytesAsync("web01"));

        await _store.FlattenAsync("web01");
        Assert.Null(_store.Find("web01").Image);
        await _store.RemoveSnapshotAsync("web01", "two");
        await _store.RemoveSnapshotAsync("web01", "one");
        _content.AsSpan(0, 512).Fill(1);
        _content.AsSpan(4096, 512).Fill(2);
        await AssertIsAsync("web01", _content);
        _store.RemoveImage("a");
        await AssertIsAsync("web01", _content);
    }

    [Fact]
    public async Task A_snapshot_that_others_stand_on_goes_and_they_show_what_they_showed()
    {
        await _store.CloneAsync("web01", await ImportAsync("a", _content));
        await WriteAsync("web01", 0, 1);
        await _store.SnapshotAsync("web01", "one");
        // Zeroes over the image's noise, and data where the image has a hole.
        await using (var disk = await _store.ServeAsync("web01"))
        {
            await disk.DiscardAsync(_content.Length / 4, 128 << 10);
            await disk.WriteAsync(1 << 20, _content.AsMemory(_content.Length / 2, 200_192));
        }
        await WriteAsync("web01", 4096, 2);
        await _store.SnapshotAsync("web01", "two");
        await WriteAsync("web01", 8192, 3);
        await _store.SnapshotAsync("web01", "three");
        await _store.GrowAsync("web01", 8 << 20);
        await WriteAsync("web01", (8 << 20) - 4096, 4);
        await _store.RollBackAsync("web01", "two");
        await WriteAsync("web01", 0, 5);
        var before = await ShownAsync("web01", "web01@one", "web01@two", "web01@three");
        var taken = _store.Find("web01").Snapshots.Select(s => (s.Name, s.Taken)).ToList();

        // The disk and "three" both stand on it.
        await _store.RemoveSnapshotAsync("web01", "two");
        Assert.Equal(taken.Where(s => s.Name != "two"), _store.Find("web01").Snapshots.Select(s => (s.Name, s.Taken)));
        Assert.Equal([before[0], before[1], before[3]], await ShownAsync("web01", "web01@one", "web01@three"));
        // The lowest: they stand on the image then, which is of another format.
        await _store.RemoveSnapshotAsync("web01", "one");
        Assert.Equal([before[0], before[3]], await ShownAsync("web01", "web01@three"));
        await _store.RemoveSnapshotAsync("web01", "three");
        Assert.Equal("a@1", _store.Find("web01").Image);
        await AssertIsAsync("web01", before[0]);
    }

    [Fact]
    public async Task A_snapshot_that_somebody_reads_stays()
    {
        await _store.CloneAsync("web01", await ImportAsync("a", _content));
        await _store.SnapshotAsync("web01", "one");
        await _store.SnapshotAsync("web01", "two");
        await using (await _store.OpenToCopyAsync("web01@two"))
        {
            // "two" stands on it and would be written.
            await Assert.ThrowsAnyAsync<IOException>(async () => await _store.RemoveSnapshotAsync("web01", "one"));
        }
        Assert.Equal(2, _store.Find("web01").Snapshots.Count);
        await _store.RemoveSnapshotAsync("web01", "one");
        await AssertIsAsync("web01", _content);
    }

    [Fact]
    public async Task A_snapshot_and_a_growth_need_no_pause_of_the_machine()
    {
        await _store.CloneAsync("web01", await ImportAsync("a", _content));
        var told = 0;
        await using (var disk = await _store.ServeAsync("web01"))
        {
            disk.LengthChanged += () => told++;
            using var stop = new CancellationTokenSource();
            var load = Task.Run(async () =>
            {
                var round = 0;
                for (; round < 200 || !stop.IsCancellationRequested; round++)
                {
                    var bytes = new byte[8192];
                    bytes.AsSpan().Fill((byte)round);
                    await disk.WriteAsync(round % 64 * 8192, bytes, CancellationToken.None);
                    await disk.ReadAsync(round % 64 * 8192, bytes, CancellationToken.None);
                    Assert.Equal((byte)round, bytes[5000]);
                }
            });
            // Another process asks through the socket; here a second store does.
            var other = new VolumeStore(_folder["state"]);
            for (var i = 0; i < 10; i++) await other.SnapshotAsync("web01", $"s{i}");
            Assert.Equal(1L << 40, (await other.GrowAsync("web01", 1L << 40)).Size);
            await stop.CancelAsync();
            await load;
            Assert.Equal((1, 1L << 40), (told, disk.Length));
            await disk.WriteAsync((1L << 40) - 4096, new byte[4096]);
            var refusal = await Assert.ThrowsAsync<VolumeStoreException>(async () => await other.GrowAsync("web01", 4096));
            Assert.Contains("can only grow", refusal.Message, StringComparison.Ordinal);
        }
        Assert.Contains("No errors", await Tool.RunAsync("qemu-img", "check", _store.Find("web01").Path), StringComparison.Ordinal);
        Assert.Equal(10, _store.Find("web01").Snapshots.Count);
    }

    [Fact]
    public async Task Each_boot_of_a_reset_volume_begins_with_a_fresh_overlay()
    {
        await ImportAsync("a", _content);
        await _store.CloneAsync("kiosk", _store.Images.Find("a"), new(VolumePolicy.Reset));
        await using var disk = await _store.ServeAsync("kiosk");
        await disk.WriteAsync(0, new byte[] { 1, 2, 3 });
        await disk.BeginBootAsync();
        Assert.Equal(_content, await ReadAllAsync(disk));

        var next = Sample.Disk(8 << 20, seed: 2);
        await ImportAsync("a", next);
        _store.Rebase("kiosk", _store.Images.Find("a@2"));
        await disk.BeginBootAsync();
        Assert.Equal(next, await ReadAllAsync(disk));
        Assert.Equal(("a@2", null), (_store.Find("kiosk").Image, _store.Find("kiosk").NextImage));
        Assert.Empty(_store.Find("kiosk").Snapshots);
    }

    [Fact]
    public async Task No_reset_leaves_a_machine_with_an_empty_disk()
    {
        await _store.CloneAsync("kiosk", await ImportAsync("a", _content), new(VolumePolicy.Reset));
        var refusal = await Assert.ThrowsAsync<VolumeStoreException>(async () => await _store.FlattenAsync("kiosk"));
        Assert.Contains("--policy keep", refusal.Message, StringComparison.Ordinal);
        _store.SetPolicy("kiosk", VolumePolicy.Keep);
        await _store.FlattenAsync("kiosk");
        Assert.Throws<VolumeStoreException>(() => _store.SetPolicy("kiosk", VolumePolicy.Reset));
        await AssertIsAsync("kiosk", _content);
    }

    [Fact]
    public async Task A_kept_volume_that_goes_over_to_another_version_leaves_a_snapshot()
    {
        await _store.CloneAsync("web01", await ImportAsync("a", _content));
        await WriteAsync("web01", 0, 1);
        var published = await _store.PublishAsync("web01", "a");
        Assert.Equal("a@2", published.Reference);
        _store.Rebase("web01", published);
        Assert.Throws<VolumeStoreException>(() => _store.RemoveImage("a@2"));
        await using (var disk = await _store.ServeAsync("web01"))
        {
            await disk.BeginBootAsync();
            await disk.BeginBootAsync();
        }
        Assert.Equal("a@2", _store.Find("web01").Image);
        Assert.Single(_store.Find("web01").Snapshots);
        // The snapshot stands on the old version.
        Assert.Throws<VolumeStoreException>(() => _store.RemoveImage("a@1"));
        _content.AsSpan(0, 512).Fill(1);
        await AssertIsAsync("web01", _content);
    }

    [Theory]
    [InlineData("raw")]
    [InlineData("qcow2")]
    [InlineData("vhdx")]
    public async Task An_export_is_what_the_volume_shows(string format)
    {
        await _store.CloneAsync("web01", await ImportAsync("a", _content));
        await WriteAsync("web01", 4096, 7);
        _content.AsSpan(4096, 512).Fill(7);
        await _store.ExportAsync("web01", _folder["out"], format);
        await File.WriteAllBytesAsync(_folder["raw"], _content);
        await Tool.RunAsync("qemu-img", "compare", "-f", "raw", "-F", format, _folder["raw"], _folder["out"]);
        if (format == "qcow2")
        {
            Assert.Contains("No errors", await Tool.RunAsync("qemu-img", "check", _folder["out"]), StringComparison.Ordinal);
            // A clone has what QEMU before 5.2 does not read; what goes to other programs has not.
            Assert.Contains("extended l2: true", await Tool.RunAsync("qemu-img", "info", _store.Find("web01").Path), StringComparison.Ordinal);
            Assert.Contains("extended l2: false", await Tool.RunAsync("qemu-img", "info", _folder["out"]), StringComparison.Ordinal);
        }
        await Assert.ThrowsAsync<VolumeStoreException>(async () => await _store.ExportAsync("web01", _folder["out"], format));
        // What is exported comes back.
        var back = await _store.Images.ImportAsync(_folder["out"], "back");
        Assert.Equal(_content, await File.ReadAllBytesAsync(back.Path));
    }

    [Fact]
    public async Task Usage_tells_shared_from_own_bytes()
    {
        await _store.CloneAsync("web01", await ImportAsync("a", Sample.Disk(64 << 20)));
        var fresh = await _store.UsageAsync(_store.Find("web01"));
        Assert.InRange(fresh.Shared, 16 << 20, 17 << 20);
        Assert.InRange(fresh.Own, 1, 300 << 10);
        await using (var disk = await _store.ServeAsync("web01"))
        {
            await disk.WriteAsync(32 << 20, new byte[4 << 20]);
            await disk.FlushAsync();
            var written = await _store.UsageAsync(_store.Find("web01"));
            Assert.InRange(fresh.Shared - written.Shared, 4 << 20, 4 << 20);
            Assert.InRange(written.Own - fresh.Own, 4 << 20, (4 << 20) + (200 << 10));
            await disk.DiscardAsync(32 << 20, 4 << 20);
            // The first flush makes what was given up free, and only then is it a hole.
            await disk.FlushAsync();
            Assert.InRange((await _store.UsageAsync(_store.Find("web01"))).Own - fresh.Own, 0, 200 << 10);
        }
    }

    [Fact]
    public async Task A_volume_that_was_given_back_is_anybodys_until_its_next_use()
    {
        await _store.CloneAsync("web01", await ImportAsync("a", _content));
        var other = new VolumeStore(_folder["state"]);
        await using var disk = _store.ServeOnDemand("web01");
        await other.SnapshotAsync("web01", "before");
        await disk.WriteAsync(0, new byte[512]);
        await Assert.ThrowsAsync<VolumeStoreException>(async () => await other.RollBackAsync("web01", "before"));

        await disk.ReleaseAsync();
        await other.SnapshotAsync("web01", "away");
        await other.GrowAsync("web01", 64 << 20);
        _content.AsSpan(0, 512).Clear();
        var told = 0;
        disk.LengthChanged += () => told++;
        Assert.Equal(_content, (await ReadAllAsync(disk))[.._content.Length]);
        Assert.Equal((1, 64L << 20), (told, disk.Length));
    }

    /// <summary>A guest that was cut off, and has its file system mounted, must not go on with what somebody else made of its disk.</summary>
    [Fact]
    public async Task A_machine_whose_volume_was_rolled_back_while_it_was_away_has_to_boot_anew()
    {
        await _store.CloneAsync("web01", await ImportAsync("a", _content));
        await _store.SnapshotAsync("web01", "before");
        await using var disk = _store.ServeOnDemand("web01");
        await disk.WriteAsync(0, new byte[512]);
        await disk.ReleaseAsync();
        await _store.RollBackAsync("web01", "before");
        for (var i = 0; i < 2; i++)
        {
            var refusal = await Assert.ThrowsAsync<BlockDeviceException>(async () => await disk.ReadAsync(0, new byte[512]));
            Assert.Contains("has to boot anew", refusal.Message, StringComparison.Ordinal);
        }
        await disk.BeginBootAsync();
        Assert.Equal(_content, await ReadAllAsync(disk));
        await disk.ReleaseAsync();
        _store.Remove("web01");
        await Assert.ThrowsAsync<BlockDeviceException>(async () => await disk.ReadAsync(0, new byte[512]));
        await Assert.ThrowsAsync<VolumeStoreException>(async () => await disk.BeginBootAsync());
    }

    [Fact]
    public async Task A_volume_that_cannot_be_opened_again_goes_on_when_it_can()
    {
        var image = await ImportAsync("a", _content);
        await _store.CloneAsync("web01", image);
        var other = new VolumeStore(_folder["state"]);
        await using var disk = await _store.ServeAsync("web01");
        await disk.WriteAsync(0, new byte[512]);
        File.Move(image.Path, image.Path + ".away");
        // The first request closes the disk and finds no image under it; the second finds it closed.
        for (var i = 0; i < 2; i++) await Assert.ThrowsAsync<VolumeStoreException>(async () => await other.SnapshotAsync("web01", "one"));
        await Assert.ThrowsAsync<BlockDeviceException>(async () => await disk.ReadAsync(0, new byte[512]));
        File.Move(image.Path + ".away", image.Path);
        _content.AsSpan(0, 512).Clear();
        Assert.Equal(_content, await ReadAllAsync(disk));
        await other.SnapshotAsync("web01", "one");
    }

    [Fact]
    public async Task A_snapshot_that_was_cut_while_the_machine_was_off_is_finished_at_its_next_use()
    {
        await _store.CloneAsync("web01", await ImportAsync("a", _content));
        await using var disk = _store.ServeOnDemand("web01");
        File.Move(_folder["state/volumes/web01.qcow2"], _folder["state/volumes/.web01.next"]);
        Assert.Equal(_content, await ReadAllAsync(disk));
    }

    [Fact]
    public async Task Giving_back_costs_no_call()
    {
        await _store.CloneAsync("web01", await ImportAsync("a", _content));
        await using var disk = _store.ServeOnDemand("web01");
        using var stop = new CancellationTokenSource();
        var load = Task.Run(async () =>
        {
            var bytes = new byte[8192];
            for (var round = 0; round < 200 || !stop.IsCancellationRequested; round++)
            {
                bytes.AsSpan().Fill((byte)round);
                await disk.WriteAsync(round % 64 * 8192, bytes, CancellationToken.None);
                await disk.ReadAsync(round % 64 * 8192, bytes, CancellationToken.None);
                Assert.Equal((byte)round, bytes[5000]);
            }
        });
        for (var i = 0; i < 50; i++) await disk.ReleaseAsync();
        await stop.CancelAsync();
        await load;
    }

    [Fact]
    public async Task A_snapshot_that_was_cut_in_the_middle_is_finished()
    {
        await _store.CloneAsync("web01", await ImportAsync("a", _content));
        await _store.SnapshotAsync("web01", "one");
        File.Move(_folder["state/volumes/web01.qcow2"], _folder["state/volumes/.web01.next"]);
        Assert.Equal("a@1", _store.Find("web01").Image);
        await AssertIsAsync("web01", _content);
    }

    private async Task<StoredImage> ImportAsync(string name, byte[] content)
    {
        await File.WriteAllBytesAsync(_folder["source"], content);
        return await _store.Images.ImportAsync(_folder["source"], name);
    }

    private async Task WriteAsync(string volume, long offset, byte value)
    {
        await using var disk = await _store.ServeAsync(volume);
        var sector = new byte[512];
        sector.AsSpan().Fill(value);
        await disk.WriteAsync(offset, sector);
    }

    private async Task<(int, int, int)> BytesAsync(string reference)
    {
        await using var disk = await _store.OpenToReadAsync(reference);
        var bytes = await ReadAllAsync(disk);
        return (bytes[0], bytes[4096], bytes[8192]);
    }

    /// <summary>What each shows; QEMU finds no error in any and reads the same.</summary>
    private async Task<byte[][]> ShownAsync(params string[] references)
    {
        var shown = new byte[references.Length][];
        for (var i = 0; i < references.Length; i++)
        {
            await using (var disk = await _store.OpenToReadAsync(references[i])) shown[i] = await ReadAllAsync(disk);
            var path = Path.Combine(_folder["state"], "volumes", references[i] + ".qcow2");
            Assert.Contains("No errors", await Tool.RunAsync("qemu-img", "check", path), StringComparison.Ordinal);
            await File.WriteAllBytesAsync(_folder["shown"], shown[i]);
            await Tool.RunAsync("qemu-img", "compare", "-f", "raw", "-F", "qcow2", _folder["shown"], path);
        }
        return shown;
    }

    private static async Task<byte[]> ReadAllAsync(IBlockDevice disk)
    {
        var bytes = new byte[disk.Length];
        await disk.ReadAsync(0, bytes);
        return bytes;
    }

    private async Task AssertIsAsync(string volume, byte[] content)
    {
        var path = _store.Find(volume).Path;
        Assert.Contains("No errors", await Tool.RunAsync("qemu-img", "check", path), StringComparison.Ordinal);
        await File.WriteAllBytesAsync(_folder["expected"], content);
        await Tool.RunAsync("qemu-img", "compare", "-f", "raw", "-F", "qcow2", _folder["expected"], path);
    }
}
