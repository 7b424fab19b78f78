using System.Globalization;
using Slipway.Disks;
using Slipway.Volumes.Import;
using Slipway.Volumes.Qcow2;
using Slipway.Volumes.Qcow2.Files;
using Slipway.Volumes.Raw;

namespace Slipway.Volumes.Store;

/// <summary>
/// Golden images in a folder, as files that any tool opens: <c>NAME@VERSION.raw</c>, whatever format they came in, with
/// the hashes of their pieces beside them. A version is written once, whole, under another name until it is; its number
/// is never used again.
/// </summary>
public sealed class ImageStore
{
    private readonly string _folder;

    public ImageStore(string folder)
    {
        _folder = Path.GetFullPath(folder);
        Directory.CreateDirectory(_folder);
    }

    /// <summary>Brings an image in as the next version of its name; zeroes become holes.</summary>
    /// <param name="source">A path, or an address with http or https; raw, qcow2, VHD, VHDX, VMDK or ISO, and packed with gzip, xz or zstd or not.</param>
    /// <param name="sha256">What the source must hash to, where the operator knows it.</param>
    public ValueTask<StoredImage> ImportAsync(
        string source, string name, string? sha256 = null, IProgress<ImportProgress>? progress = null, CancellationToken cancellation = default) =>
        AddAsync(name, partial => new ImageImport(_folder, progress).RunAsync(source, partial, sha256, cancellation));

    /// <summary>Copies a disk in as the next version of a name.</summary>
    public ValueTask<StoredImage> StoreAsync(
        IBlockDevice disk, string name, IProgress<ImportProgress>? progress = null, CancellationToken cancellation = default) =>
        AddAsync(name, async partial =>
        {
            using var raw = new SparseWriter(partial);
            await raw.CopyAsync(disk, progress, cancellation);
            return raw.Hashes;
        });

    public IReadOnlyList<StoredImage> List()
    {
        var images = new List<StoredImage>();
        foreach (var path in Directory.EnumerateFiles(_folder, "*@*.*"))
        {
            if (Read(path) is { } image) images.Add(image);
        }
        return [.. images.OrderBy(i => i.Name, StringComparer.Ordinal).ThenBy(i => i.Version)];
    }

    /// <summary>An image by <c>name@version</c>, or the newest of a name.</summary>
    public StoredImage Find(string reference) =>
        List().LastOrDefault(i => i.Reference == reference || i.Name == reference)
            ?? throw new VolumeStoreException($"there is no image {reference}; `slipway image list` shows what there is");

    /// <summary>Reads the whole image and compares; where the first piece begins that has changed, or null where none has.</summary>
    public static async ValueTask<long?> VerifyAsync(StoredImage image, IProgress<ImportProgress>? progress = null, CancellationToken cancellation = default)
    {
        if (image.Checksum.Length == 0) throw new VolumeStoreException($"{PieceHashes.PathOf(image.Path)} is missing: there is nothing to compare {image.Reference} with");
        await using var file = ImageFile.Open(image.Path, ImageAccess.Read);
        return await ImageVerification.RunAsync(file, PieceHashes.Load(image.Path), progress, cancellation);
    }

    internal void Remove(StoredImage image)
    {
        // The number stays taken: a reference to this version never means another one.
        File.WriteAllBytes(RemovedPath(image.Name, image.Version), []);
        File.Delete(image.Path);
        File.Delete(PieceHashes.PathOf(image.Path));
    }

    private string RemovedPath(string name, int version) => Path.Combine(_folder, $".{name}@{version}.removed");

    private async ValueTask<StoredImage> AddAsync(string name, Func<string, ValueTask<PieceHashes>> make)
    {
        StoreNames.Check(name);
        Sweep();
        var partial = Path.Combine(_folder, $".{name}.{Guid.NewGuid():n}.partial");
        try
        {
            var pieces = await make(partial);
            pieces.Save(partial);
            return Publish(partial, name);
        }
        finally
        {
            File.Delete(partial);
            File.Delete(PieceHashes.PathOf(partial));
        }
    }

    // What imports that were killed left. Work that goes on writes more often, and a download may be gone on with for long.
    private void Sweep()
    {
        foreach (var (pattern, age) in new[] { (".*.partial*", TimeSpan.FromDays(1)), (".download-*", TimeSpan.FromDays(30)) })
        {
            foreach (var path in Directory.EnumerateFiles(_folder, pattern))
            {
                if (DateTime.UtcNow - File.GetLastWriteTimeUtc(path) > age) File.Delete(path);
            }
        }
    }

    private StoredImage Publish(string partial, string name)
    {
        for (var version = LastVersion(name) + 1; ; version++)
        {
            var path = Path.Combine(_folder, $"{name}@{version}.raw");
            try
            {
                // Whoever makes the file of hashes has the number. An image is there when its own file is.
                File.OpenHandle(PieceHashes.PathOf(path), FileMode.CreateNew, FileAccess.Write).Dispose();
            }
            catch (IOException) when (File.Exists(PieceHashes.PathOf(path)))
            {
                // Another import of the same name was faster: this is the version after it.
                continue;
            }
            File.Move(PieceHashes.PathOf(partial), PieceHashes.PathOf(path), overwrite: true);
            File.SetAttributes(partial, FileAttributes.ReadOnly);
            File.Move(partial, path, overwrite: false);
            DurableFile.FlushFolderOf(path);
            return Read(path)!;
        }
    }

    private int LastVersion(string name) => Directory.EnumerateFiles(_folder, "*@*")
        .Select(p => Path.GetFileName(p).TrimStart('.')).Where(f => f.StartsWith(name + "@", StringComparison.Ordinal))
        .Select(f => int.TryParse(f[(name.Length + 1)..].Split('.')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : 0)
        .DefaultIfEmpty(0).Max();

    private static StoredImage? Read(string path)
    {
        var format = Path.GetExtension(path).TrimStart('.');
        var parts = Path.GetFileNameWithoutExtension(path).Split('@');
        if (format is not ("raw" or "qcow2") || parts.Length != 2 || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var version)) return null;
        var size = format == "raw" ? (new FileInfo(path).Length + 511) / 512 * 512 : Qcow2File.SizeOf(path);
        return new(parts[0], version, format, path, size, HostFile.BytesOf(path));
    }
}
