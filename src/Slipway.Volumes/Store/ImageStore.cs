using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using Slipway.Disks;
using Slipway.Volumes.Qcow2;

namespace Slipway.Volumes.Store;

/// <summary>
/// Golden images in a folder, as files that any tool opens: <c>NAME@VERSION.raw</c> or <c>.qcow2</c>, with the checksum
/// beside it as <c>sha256sum</c> writes it. A version is written once, whole, under another name until it is.
/// </summary>
public sealed class ImageStore
{
    private readonly string _folder;

    public ImageStore(string folder)
    {
        _folder = Path.GetFullPath(folder);
        Directory.CreateDirectory(_folder);
    }

    /// <summary>Copies an image in as the next version of its name; zeroes become holes.</summary>
    /// <param name="sha256">What the source must hash to, where the operator knows it.</param>
    public async ValueTask<StoredImage> ImportAsync(
        Stream source, string name, string? sha256 = null, IProgress<long>? progress = null, CancellationToken cancellation = default)
    {
        StoreNames.Check(name);
        var partial = Path.Combine(_folder, $".{name}.{Guid.NewGuid():n}.partial");
        try
        {
            var hash = await SparseCopy.ToFileAsync(source, partial, progress, cancellation);
            if (sha256 is not null && !string.Equals(sha256, hash, StringComparison.OrdinalIgnoreCase))
                throw new VolumeStoreException($"the source's SHA-256 is {hash}, not {sha256}: it is another file, or was damaged on its way. Nothing was imported");
            var (format, size) = await InspectAsync(partial, cancellation);
            return Publish(partial, name, format, size, hash);
        }
        catch (DiskFormatException e)
        {
            throw new VolumeStoreException(e.Message, e);
        }
        finally
        {
            File.Delete(partial);
        }
    }

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

    /// <summary>Reads the whole file and compares; false where a bit has changed.</summary>
    public static async ValueTask<bool> VerifyAsync(StoredImage image, CancellationToken cancellation = default)
    {
        await using var file = File.OpenRead(image.Path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellation)) == image.Sha256;
    }

    /// <summary>Deletes a version that no volume is a clone of.</summary>
    public static void Remove(StoredImage image, IEnumerable<StoredVolume> volumes)
    {
        var users = volumes.Where(v => v.Image == image.Reference).Select(v => v.Name).ToList();
        if (users.Count > 0) throw new VolumeStoreException($"{image.Reference} is in use by {string.Join(", ", users)}: remove those volumes first");
        File.Delete(image.Path);
        File.Delete(image.Path + ".sha256");
    }

    private static async ValueTask<(string Format, long Size)> InspectAsync(string path, CancellationToken cancellation)
    {
        await using var file = ImageFile.Open(path, ImageAccess.Read);
        var start = new byte[4];
        await file.ReadAsync(0, start, cancellation);
        if (BinaryPrimitives.ReadInt32BigEndian(start) != Qcow2Header.Magic)
        {
            if (file.Length == 0) throw new VolumeStoreException("the source is empty");
            return ("raw", (file.Length + 511) / 512 * 512);
        }
        // An image that leans on another would take that along, unseen and changeable.
        await using var device = await Qcow2Device.OpenAsync(file, (name, _) => throw new VolumeStoreException(
            $"the image has the backing file {name}: make it whole first, with `qemu-img convert -O qcow2`"), cancellation);
        return ("qcow2", device.Length);
    }

    private StoredImage Publish(string partial, string name, string format, long size, string hash)
    {
        for (var version = List().Where(i => i.Name == name).Select(i => i.Version).DefaultIfEmpty(0).Max() + 1; ; version++)
        {
            var path = Path.Combine(_folder, $"{name}@{version}.{format}");
            try
            {
                File.Move(partial, path, overwrite: false);
            }
            catch (IOException) when (File.Exists(path))
            {
                // Another import of the same name was faster: this is the version after it.
                continue;
            }
            File.WriteAllText(path + ".sha256", $"{hash}  {Path.GetFileName(path)}\n");
            File.SetAttributes(path, FileAttributes.ReadOnly);
            return new(name, version, format, path, size, hash);
        }
    }

    private static StoredImage? Read(string path)
    {
        var format = Path.GetExtension(path).TrimStart('.');
        var parts = Path.GetFileNameWithoutExtension(path).Split('@');
        if (format is not ("raw" or "qcow2") || parts.Length != 2 || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var version)) return null;
        var sum = File.Exists(path + ".sha256") ? File.ReadAllText(path + ".sha256").Split(' ')[0] : "";
        var size = format == "raw" ? (new FileInfo(path).Length + 511) / 512 * 512 : Qcow2File.SizeOf(path);
        return new(parts[0], version, format, path, size, sum);
    }
}
