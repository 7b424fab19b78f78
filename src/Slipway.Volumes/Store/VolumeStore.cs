using Slipway.Disks;
using Slipway.Volumes.Import;
using Slipway.Volumes.Qcow2;
using Slipway.Volumes.Qcow2.Files;
using Slipway.Volumes.Raw;

namespace Slipway.Volumes.Store;

/// <summary>
/// Machines' own disks in a folder beside the images: qcow2 files, each over an image version or blank. What a process
/// that serves a volume can do while it serves (<see cref="LiveVolume"/>), it is asked to do; all else is done here, and
/// refused while somebody uses the volume.
/// </summary>
public sealed class VolumeStore
{
    private const string Volumes = "volumes", ImagesFolder = "images";

    private readonly string _root;
    private readonly VolumeFolder _folder;

    /// <param name="root">The folder that holds both <c>images</c> and <c>volumes</c>: no backing file outside of it is opened.</param>
    public VolumeStore(string root)
    {
        _root = Path.GetFullPath(root);
        // What machines keep on their disks is for nobody else on the host.
        PrivateFolder.Create(_root);
        _folder = new(Path.Combine(_root, Volumes));
        Directory.CreateDirectory(_folder.Path);
        Images = new(Path.Combine(_root, ImagesFolder));
    }

    public ImageStore Images { get; }

    /// <summary>Whether there is a store with this root: opening one makes it where it is not.</summary>
    /// <exception cref="UnauthorizedAccessException">Whoever asks may not look there; <see cref="Directory.Exists"/> would say no.</exception>
    public static bool Exists(string root)
    {
        try
        {
            return ((string[])[Volumes, ImagesFolder]).All(f => File.GetAttributes(Path.Combine(root, f)).HasFlag(FileAttributes.Directory));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
    }

    /// <summary>A clone of an image version; takes as long as writing four clusters, whatever the size.</summary>
    public ValueTask<StoredVolume> CloneAsync(string name, StoredImage image, VolumeSettings? settings = null, CancellationToken cancellation = default) =>
        MakeAsync(name, image.Size, Path.Combine("..", "images", Path.GetFileName(image.Path)), image.Format, settings, cancellation);

    public ValueTask<StoredVolume> CreateAsync(string name, long size, VolumeSettings? settings = null, CancellationToken cancellation = default)
    {
        ClosedVolume.CheckSize(size);
        return MakeAsync(name, size, backing: null, "", settings, cancellation);
    }

    public IReadOnlyList<StoredVolume> List()
    {
        var snapshots = _folder.Snapshots();
        return [.. _folder.Names().Select(n => Read(n, snapshots[n])).OrderBy(v => v.Name, StringComparer.Ordinal)];
    }

    public bool Contains(string name) => StoreNames.IsName(name) && File.Exists(_folder.Disk(name));

    public StoredVolume Find(string name)
    {
        CheckThere(name);
        return Read(name);
    }

    /// <summary>Opens a volume, or <c>VOLUME@SNAPSHOT</c>, to look into it, whoever else uses it.</summary>
    public async ValueTask<IBlockDevice> OpenToReadAsync(string reference, CancellationToken cancellation = default)
    {
        var (name, snapshot) = Split(reference);
        var path = snapshot is null ? Find(name).Path : FindSnapshot(name, snapshot).Path;
        return await Qcow2File.OpenAsync(path, _root, ImageAccess.Look, cancellation);
    }

    /// <summary>As <see cref="OpenToReadAsync"/>, but what is read does not change: a volume that somebody uses is refused.</summary>
    public async ValueTask<IBlockDevice> OpenToCopyAsync(string reference, CancellationToken cancellation = default)
    {
        var (name, snapshot) = Split(reference);
        if (snapshot is not null) return await Qcow2File.OpenAsync(FindSnapshot(name, snapshot).Path, _root, ImageAccess.Read, cancellation);
        Find(name);
        Take(name).Dispose();
        return await Qcow2File.OpenAsync(_folder.Disk(name), _root, ImageAccess.Read, cancellation);
    }

    /// <summary>Opens a volume to serve it: alone, until it is disposed of.</summary>
    /// <exception cref="VolumeStoreException">Somebody uses it; the message says who.</exception>
    public async ValueTask<LiveVolume> ServeAsync(string name, CancellationToken cancellation = default)
    {
        CheckThere(name);
        return await LiveVolume.OpenAsync(_folder, _root, Images, name, cancellation);
    }

    /// <summary>A volume to serve that is opened, and held, at its first use only.</summary>
    /// <exception cref="VolumeStoreException">There is none, or its header cannot be read.</exception>
    public LiveVolume ServeOnDemand(string name)
    {
        // Not Find, which looks through the folder for snapshots: a server has thousands.
        CheckThere(name);
        var volume = LiveVolume.Of(_folder, _root, Images, name);
        return volume.Length > 0 ? volume : throw new VolumeStoreException($"{volume.Path} has no qcow2 header that can be read");
    }

    public async ValueTask<StoredVolume> SnapshotAsync(string name, string snapshot, CancellationToken cancellation = default)
    {
        Find(name);
        StoreNames.Check(snapshot);
        if (!await VolumeControl.TryAskAsync(_folder.Control(name), VolumeControl.Snapshot, snapshot, cancellation))
        {
            using var volume = Take(name);
            await volume.SnapshotAsync(snapshot, cancellation);
        }
        return Read(name);
    }

    public async ValueTask<StoredVolume> GrowAsync(string name, long size, CancellationToken cancellation = default)
    {
        Find(name);
        if (!await VolumeControl.TryAskAsync(_folder.Control(name), VolumeControl.Grow, $"{size}", cancellation))
        {
            using var volume = Take(name);
            await volume.GrowAsync(size, cancellation);
        }
        return Read(name);
    }

    public async ValueTask<StoredVolume> RollBackAsync(string name, string snapshot, CancellationToken cancellation = default)
    {
        Find(name);
        using var volume = Take(name);
        await volume.RollBackAsync(snapshot, cancellation);
        return Read(name);
    }

    public async ValueTask<StoredVolume> FlattenAsync(string name, IProgress<ImportProgress>? progress = null, CancellationToken cancellation = default)
    {
        Find(name);
        using var volume = Take(name);
        if (Find(name).Policy == VolumePolicy.Reset)
            throw new VolumeStoreException($"{name} has the policy reset, and its next boot would begin with an empty disk: `slipway volume set {name} --policy keep` first");
        await volume.FlattenAsync(progress, cancellation);
        return Read(name);
    }

    /// <summary>Deletes a snapshot; the volume and its other snapshots show what they showed.</summary>
    public async ValueTask<StoredVolume> RemoveSnapshotAsync(string name, string snapshot, IProgress<ImportProgress>? progress = null, CancellationToken cancellation = default)
    {
        Find(name);
        using var volume = Take(name);
        await volume.RemoveSnapshotAsync(snapshot, progress, cancellation);
        return Read(name);
    }

    /// <summary>What becomes of writes from the next boot on; whoever serves the volume looks then.</summary>
    public StoredVolume SetPolicy(string name, VolumePolicy policy)
    {
        if (policy == VolumePolicy.Reset && Find(name) is { Policy: VolumePolicy.Keep, Image: null, NextImage: null })
            throw new VolumeStoreException($"{name} is a clone of no image, and each boot would begin with an empty disk: publish it, and create a clone of that image with --policy reset");
        return Change(name, s => s with { Policy = policy });
    }

    /// <summary>Lets a volume begin anew from another image version at its next boot.</summary>
    public StoredVolume Rebase(string name, StoredImage image) => Change(name, s => s with { NextImage = image.Reference });

    /// <summary>What a volume, or a snapshot of it, shows becomes the next version of an image.</summary>
    public async ValueTask<StoredImage> PublishAsync(string reference, string image, IProgress<ImportProgress>? progress = null, CancellationToken cancellation = default)
    {
        await using var disk = await OpenToCopyAsync(reference, cancellation);
        return await Images.StoreAsync(disk, image, progress, cancellation);
    }

    public async ValueTask<VolumeUsage> UsageAsync(StoredVolume volume, CancellationToken cancellation = default)
    {
        await using var disk = await Qcow2File.OpenAsync(volume.Path, _root, ImageAccess.Look, cancellation);
        var shared = 0L;
        for (var at = 0L; at < disk.Length;)
        {
            var (extent, isBelow) = await disk.GetOriginAsync(at, cancellation);
            if (isBelow && extent.Kind == ExtentKind.Data) shared += extent.Length;
            at += extent.Length;
        }
        return new(volume.Name, volume.Size, shared, HostFile.BytesOf(volume.Path), volume.Snapshots.Sum(s => s.OwnBytes));
    }

    /// <summary>Copies a volume, or a snapshot of it, into a new file of another format.</summary>
    /// <param name="format"><c>raw</c>, <c>qcow2</c> or <c>vhdx</c>.</param>
    public async ValueTask ExportAsync(string reference, string path, string format, IProgress<ImportProgress>? progress = null, CancellationToken cancellation = default)
    {
        await using var disk = await OpenToCopyAsync(reference, cancellation);
        await VolumeExport.RunAsync(disk, path, format, progress, cancellation);
    }

    /// <summary>Deletes a version that no volume stands on, or will at its next boot.</summary>
    public StoredImage RemoveImage(string reference)
    {
        var image = Images.Find(reference);
        var users = List().Where(v => v.NextImage == image.Reference || v.Snapshots.Select(s => s.Path).Append(v.Path).Any(f => _folder.ImageOf(f) == image.Reference))
            .Select(v => v.Name).ToList();
        if (users.Count > 0) throw new VolumeStoreException($"{image.Reference} is in use by {string.Join(", ", users)}: remove, flatten or rebase those first");
        Images.Remove(image);
        return image;
    }

    /// <summary>Deletes a volume that nobody uses, with its snapshots.</summary>
    public StoredVolume Remove(string name)
    {
        var volume = Find(name);
        using var taken = Take(name);
        taken.Remove();
        return volume;
    }

    private StoredVolume Change(string name, Func<VolumeSettings, VolumeSettings> change)
    {
        Find(name);
        change(VolumeSettings.Load(_folder.Settings(name))).Save(_folder.Settings(name));
        return Read(name);
    }

    private void CheckThere(string name)
    {
        // A snapshot that a cut interrupted is finished first.
        if (StoreNames.IsName(name) && !File.Exists(_folder.Disk(name)) && File.Exists(_folder.Next(name))) Take(name).Dispose();
        if (!Contains(name)) throw new VolumeStoreException($"there is no volume {name}; `slipway volume list` shows what there is");
    }

    private ClosedVolume Take(string name) => ClosedVolume.Take(_folder, _root, name);

    private StoredSnapshot FindSnapshot(string name, string snapshot) => Find(name).Snapshots.FirstOrDefault(s => s.Name == snapshot)
        ?? throw new VolumeStoreException($"there is no snapshot {snapshot} of {name}; `slipway volume show {name}` lists them");

    private static (string Name, string? Snapshot) Split(string reference) =>
        reference.IndexOf('@', StringComparison.Ordinal) is >= 0 and var at ? (reference[..at], reference[(at + 1)..]) : (reference, null);

    private string NewPath(string name)
    {
        StoreNames.Check(name);
        return File.Exists(_folder.Disk(name)) ? throw new VolumeStoreException($"there is a volume {name} already") : _folder.Disk(name);
    }

    private async ValueTask<StoredVolume> MakeAsync(string name, long size, string? backing, string format, VolumeSettings? settings, CancellationToken cancellation)
    {
        var path = NewPath(name);
        await Qcow2File.CreateAsync(path, size, backing, format, cancellation);
        try
        {
            // Either flushes the folder, with both names.
            if (settings is null) DurableFile.FlushFolderOf(path);
            else settings.Save(_folder.Settings(name));
        }
        catch
        {
            File.Delete(path);
            throw;
        }
        return Read(name);
    }

    private StoredVolume Read(string name) => Read(name, _folder.Snapshots(name));

    private StoredVolume Read(string name, IEnumerable<StoredSnapshot> snapshots)
    {
        var (path, settings, all) = (_folder.Disk(name), VolumeSettings.Load(_folder.Settings(name)), snapshots.ToList());
        return new(name, path, Qcow2File.SizeOf(path), _folder.ImageOf(path), settings.Policy, settings.Machine, settings.NextImage,
            all, HostFile.BytesOf(path) + all.Sum(s => s.OwnBytes));
    }
}
