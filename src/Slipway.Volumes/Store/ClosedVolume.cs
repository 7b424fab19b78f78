using Microsoft.Win32.SafeHandles;
using Slipway.Disks;
using Slipway.Volumes.Import;
using Slipway.Volumes.Locking;
using Slipway.Volumes.Qcow2;
using Slipway.Volumes.Qcow2.Files;
using Slipway.Volumes.Qcow2.Headers;
using Slipway.Volumes.Raw;

namespace Slipway.Volumes.Store;

/// <summary>
/// A volume whose files nobody has open, and nobody can open while this object is there: what may be done to them. Each
/// change is one rename, or one sector of a header: a cut at any point leaves the state before it or the one after.
/// </summary>
internal sealed class ClosedVolume : IDisposable
{
    private const int PullBytes = 4 << 20;
    private readonly VolumeFolder _folder;
    private readonly string _store;
    private readonly SafeFileHandle _lock;

    private ClosedVolume(VolumeFolder folder, string store, string name, SafeFileHandle @lock) =>
        (_folder, _store, Name, _lock) = (folder, store, name, @lock);

    public string Name { get; }

    public string Disk => _folder.Disk(Name);

    /// <param name="store">The folder that the whole chain must lie in.</param>
    /// <exception cref="VolumeStoreException">There is none, or somebody uses it; the message says who.</exception>
    public static ClosedVolume Take(VolumeFolder folder, string store, string name)
    {
        // Before the file of the lock is made, which a volume that is gone needs no more. A cut in a snapshot leaves only the next disk.
        if (!File.Exists(folder.Disk(name)) && !File.Exists(folder.Next(name)))
            throw new VolumeStoreException($"there is no volume {name}; `slipway volume list` shows what there is");
        SafeFileHandle taken;
        try
        {
            taken = File.OpenHandle(folder.Lock(name), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new VolumeStoreException($"the volume {name} is in use{FileUsers.By(folder.Lock(name))} (slipway explain SLP2006)", e);
        }
        try
        {
            var volume = new ClosedVolume(folder, store, name, taken);
            volume.FinishSnapshot();
            // QEMU's tools may have the file open: they know nothing of the lock above.
            volume.RequireUnused();
            return volume;
        }
        catch
        {
            taken.Dispose();
            throw;
        }
    }

    /// <exception cref="VolumeStoreException">No disk has this size.</exception>
    public static void CheckSize(long size)
    {
        if (size % 512 != 0) throw new VolumeStoreException($"a disk's size is a multiple of 512 bytes, and {size} is not");
    }

    /// <summary>What was written until now becomes a file of its own; the disk goes on as an overlay over it.</summary>
    public async ValueTask SnapshotAsync(string snapshot, CancellationToken cancellation)
    {
        StoreNames.Check(snapshot);
        var path = _folder.Snapshot(Name, snapshot);
        if (File.Exists(path)) throw new VolumeStoreException($"there is a snapshot {snapshot} of {Name} already");
        var written = File.GetLastWriteTimeUtc(Disk);
        // A server that was killed may not have closed it: nobody does once it is a snapshot.
        await using (await OpenAsync(cancellation))
        {
        }
        await PrepareNextAsync(Qcow2File.SizeOf(Disk), Path.GetFileName(path), "qcow2", cancellation);
        // What the disk shows is as it was: whoever had it open before goes on with it.
        File.SetLastWriteTimeUtc(_folder.Next(Name), written);
        File.Move(Disk, path);
        // Here a cut leaves no disk, and the next one ready beside it: whoever takes the volume then goes on below.
        PutNextInPlace();
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow);
    }

    /// <summary>Forgets what was written since a snapshot. Later snapshots stay.</summary>
    public async ValueTask RollBackAsync(string snapshot, CancellationToken cancellation)
    {
        var path = SnapshotPath(snapshot);
        await PrepareNextAsync(Qcow2File.SizeOf(path), Path.GetFileName(path), "qcow2", cancellation);
        PutNextInPlace();
    }

    /// <summary>Begins anew as a clone of an image, at least as large as the disk is now.</summary>
    public async ValueTask ResetAsync(StoredImage image, CancellationToken cancellation)
    {
        await PrepareNextAsync(Math.Max(image.Size, Qcow2File.SizeOf(Disk)), Path.Combine("..", "images", Path.GetFileName(image.Path)), image.Format, cancellation);
        PutNextInPlace();
    }

    /// <summary>Begins anew, empty.</summary>
    public async ValueTask ResetAsync(CancellationToken cancellation)
    {
        await PrepareNextAsync(Qcow2File.SizeOf(Disk), null, "", cancellation);
        PutNextInPlace();
    }

    public async ValueTask GrowAsync(long size, CancellationToken cancellation)
    {
        var now = Qcow2File.SizeOf(Disk);
        CheckSize(size);
        if (size < now) throw new VolumeStoreException($"{Name} has {now} bytes, and a disk can only grow: what lies past {size} would be lost");
        var written = File.GetLastWriteTimeUtc(Disk);
        await using (var file = ImageFile.Open(Disk, ImageAccess.Write))
            await Qcow2Growth.GrowAsync(file, size, cancellation);
        // As for a snapshot: what was there is there.
        File.SetLastWriteTimeUtc(Disk, written);
    }

    /// <summary>Copies what the disk shows of its image and its snapshots into its own file, and stands on nothing then.</summary>
    public async ValueTask FlattenAsync(IProgress<ImportProgress>? progress, CancellationToken cancellation)
    {
        await using (var device = await Qcow2File.OpenAsync(Disk, _store, writable: true, cancellation))
        {
            var buffer = new byte[PullBytes];
            for (var at = 0L; at < device.Length; progress?.Report(new("copy", at, device.Length)))
            {
                var (extent, isBelow) = await device.GetOriginAsync(at, cancellation);
                var length = (int)Math.Min(extent.Length, PullBytes);
                if (isBelow && extent.Kind == ExtentKind.Data)
                {
                    await device.ReadAsync(at, buffer.AsMemory(0, length), cancellation);
                    await device.WriteAsync(at, buffer.AsMemory(0, length), cancellation);
                    at += length;
                }
                else at += extent.Length;
            }
            await device.FlushAsync(cancellation);
        }
        await using var file = ImageFile.Open(Disk, ImageAccess.Write);
        await Qcow2FirstSector.ChangeBackingAsync(file, backing: null, format: null, cancellation);
    }

    /// <summary>
    /// Deletes a snapshot. What stands on it gets what it shows of it first, and stands on what was under it then: a cut
    /// leaves a snapshot that can be deleted again.
    /// </summary>
    /// <exception cref="IOException">Somebody reads the snapshot, or one that stands on it; the message says who.</exception>
    public async ValueTask RemoveSnapshotAsync(string snapshot, IProgress<ImportProgress>? progress, CancellationToken cancellation)
    {
        var path = SnapshotPath(snapshot);
        var above = _folder.StandOn(Name, snapshot).Select(user => user is null ? Disk : _folder.Snapshot(Name, user)).ToList();
        // Before anything is copied.
        foreach (var file in above.Append(path)) ImageFile.RequireUnused(file);
        foreach (var file in above) await PullAsync(file, path, progress, cancellation);
        ImageFile.Delete(path);
    }

    public void Remove()
    {
        ImageFile.Delete(Disk);
        // The newest first: each stands on the one before.
        foreach (var snapshot in _folder.Snapshots(Name).Reverse()) File.Delete(snapshot.Path);
        File.Delete(_folder.Settings(Name));
        File.Delete(BesideDisk.Reservations(_folder.Disk(Name)));
        File.Delete(BesideDisk.AtomicWrite(_folder.Disk(Name)));
        File.Delete(_folder.Lock(Name));
    }

    public void Dispose() => _lock.Dispose();

    public ValueTask<Qcow2Device> OpenAsync(CancellationToken cancellation) => Qcow2File.OpenAsync(Disk, _store, writable: true, cancellation);

    private async ValueTask PullAsync(string path, string below, IProgress<ImportProgress>? progress, CancellationToken cancellation)
    {
        // When a snapshot was taken is its file's time.
        var taken = File.GetLastWriteTimeUtc(path);
        try
        {
            await using (var device = await Qcow2File.OpenAsync(path, _store, writable: true, cancellation))
            {
                await using var source = await Qcow2File.OpenAsync(below, _store, writable: false, cancellation);
                await Qcow2Pull.RunAsync(device, source, progress, cancellation);
            }
            await using var file = ImageFile.Open(path, ImageAccess.Write);
            await Qcow2FirstSector.ChangeBackingAsync(file, Qcow2File.BackingOf(below), Qcow2File.BackingFormatOf(below), cancellation);
        }
        finally
        {
            File.SetLastWriteTimeUtc(path, taken);
        }
    }

    private string SnapshotPath(string snapshot)
    {
        StoreNames.Check(snapshot);
        var path = _folder.Snapshot(Name, snapshot);
        return File.Exists(path) ? path : throw new VolumeStoreException($"there is no snapshot {snapshot} of {Name}; `slipway volume show {Name}` lists them");
    }

    private async ValueTask PrepareNextAsync(long size, string? backing, string format, CancellationToken cancellation)
    {
        File.Delete(_folder.Next(Name));
        await Qcow2File.CreateAsync(_folder.Next(Name), size, backing, format, cancellation);
    }

    // What the machine flushes from now on must be under this name after a power cut.
    private void PutNextInPlace()
    {
        File.Move(_folder.Next(Name), Disk, overwrite: true);
        DurableFile.FlushFolderOf(Disk);
    }

    private void FinishSnapshot()
    {
        if (!File.Exists(Disk) && File.Exists(_folder.Next(Name))) File.Move(_folder.Next(Name), Disk);
    }

    private void RequireUnused()
    {
        try
        {
            ImageFile.RequireUnused(Disk);
        }
        catch (IOException e)
        {
            throw new VolumeStoreException(e.Message, e);
        }
    }
}
