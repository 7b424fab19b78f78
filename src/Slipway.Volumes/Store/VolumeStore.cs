using Slipway.Disks;
using Slipway.Volumes.Qcow2;

namespace Slipway.Volumes.Store;

/// <summary>Machines' own disks in a folder beside the images: qcow2 files, each over an image version or blank.</summary>
public sealed class VolumeStore
{
    private readonly string _root;
    private readonly string _folder;

    /// <param name="root">The folder that holds both <c>images</c> and <c>volumes</c>: no backing file outside of it is opened.</param>
    public VolumeStore(string root)
    {
        _root = Path.GetFullPath(root);
        _folder = Path.Combine(_root, "volumes");
        Directory.CreateDirectory(_folder);
        Images = new(Path.Combine(_root, "images"));
    }

    public ImageStore Images { get; }

    /// <summary>A clone of an image version; takes as long as writing four clusters, whatever the size.</summary>
    public async ValueTask<StoredVolume> CloneAsync(string name, StoredImage image, CancellationToken cancellation = default)
    {
        var path = NewPath(name);
        await Qcow2File.CreateAsync(path, image.Size, Path.Combine("..", "images", Path.GetFileName(image.Path)), image.Format, cancellation);
        return Read(path);
    }

    public async ValueTask<StoredVolume> CreateAsync(string name, long size, CancellationToken cancellation = default)
    {
        var path = NewPath(name);
        await Qcow2File.CreateAsync(path, size, cancellation: cancellation);
        return Read(path);
    }

    public IReadOnlyList<StoredVolume> List() =>
        [.. Directory.EnumerateFiles(_folder, "*.qcow2").Select(Read).OrderBy(v => v.Name, StringComparer.Ordinal)];

    public StoredVolume Find(string name) =>
        List().FirstOrDefault(v => v.Name == name) ?? throw new VolumeStoreException($"there is no volume {name}; `slipway volume list` shows what there is");

    /// <summary>Opens a volume with its chain. A volume that is open for writing is open once.</summary>
    public async ValueTask<IBlockDevice> OpenAsync(StoredVolume volume, bool writable, CancellationToken cancellation = default) =>
        await Qcow2File.OpenAsync(volume.Path, _root, writable, cancellation);

    /// <summary>Deletes a volume that nobody has open.</summary>
    public static void Remove(StoredVolume volume)
    {
        try
        {
            ImageFile.Delete(volume.Path);
        }
        catch (IOException e)
        {
            throw new VolumeStoreException(e.Message, e);
        }
    }

    private string NewPath(string name)
    {
        StoreNames.Check(name);
        var path = Path.Combine(_folder, name + ".qcow2");
        return File.Exists(path) ? throw new VolumeStoreException($"there is a volume {name} already") : path;
    }

    private static StoredVolume Read(string path)
    {
        var backing = Qcow2File.BackingOf(path);
        return new(Path.GetFileNameWithoutExtension(path), path, Qcow2File.SizeOf(path),
            backing is null ? null : Path.GetFileNameWithoutExtension(backing), new FileInfo(path).Length);
    }
}
