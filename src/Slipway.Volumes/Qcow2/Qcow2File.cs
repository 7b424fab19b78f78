using System.Buffers.Binary;
using Slipway.Disks;
using Slipway.Volumes.Formats;
using Slipway.Volumes.Qcow2.Files;
using Slipway.Volumes.Qcow2.Headers;

namespace Slipway.Volumes.Qcow2;

/// <summary>Opens and makes images in files of the host, with their backing chains.</summary>
public static class Qcow2File
{
    internal const int LongestChain = 64;

    /// <param name="store">The folder that every image of the chain must lie in: a name that leads out of it is refused.</param>
    public static ValueTask<Qcow2Device> OpenAsync(string path, string store, bool writable, CancellationToken cancellation = default) =>
        OpenAsync(path, store, writable ? ImageAccess.Write : ImageAccess.Read, cancellation);

    /// <param name="access">What is done with the image at the top; those that it stands on are read.</param>
    public static ValueTask<Qcow2Device> OpenAsync(string path, string store, ImageAccess access, CancellationToken cancellation = default) =>
        OpenAsync(path, store, access, LongestChain, cancellation);

    /// <summary>Makes an image that is on the medium, under its name as far as the folder is, when this returns.</summary>
    public static async ValueTask CreateAsync(string path, long size, string? backingFile = null, string backingFormat = "qcow2", CancellationToken cancellation = default)
    {
        await using var file = ImageFile.Create(path);
        try
        {
            await Qcow2Creation.WriteAsync(file, size, backingFile, backingFormat, cancellation);
            await file.FlushAsync(cancellation);
        }
        catch
        {
            File.Delete(path);
            throw;
        }
    }

    /// <summary>Whether a file begins as an image does, damaged or not.</summary>
    internal static bool IsQcow2(string path)
    {
        Span<byte> magic = stackalloc byte[sizeof(int)];
        return ReadStart(path, magic).Count == magic.Length && BinaryPrimitives.ReadInt32BigEndian(magic) == Qcow2Header.Magic;
    }

    /// <summary>The disk's size, from the header alone; 0 where the file is no image.</summary>
    public static long SizeOf(string path) => HeaderOf(path)?.Size ?? 0;

    /// <summary>The backing file's name, as the header has it.</summary>
    public static string? BackingOf(string path) => HeaderOf(path)?.BackingFile;

    /// <summary>The backing file's format, as the header has it.</summary>
    internal static string? BackingFormatOf(string path) => HeaderOf(path)?.BackingFormat;

    private static Qcow2Header? HeaderOf(string path)
    {
        var header = new byte[65536];
        var (_, length) = ReadStart(path, header);
        try
        {
            return Qcow2Header.Parse(header, length);
        }
        catch (DiskFormatException)
        {
            return null;
        }
    }

    private static (int Count, long Length) ReadStart(string path, Span<byte> start)
    {
        // As loosely as can be: a machine may be running from it.
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        return (file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false), file.Length);
    }

    private static async ValueTask<Qcow2Device> OpenAsync(string path, string store, ImageAccess access, int chain, CancellationToken cancellation)
    {
        if (chain == 0) throw new DiskFormatException($"qcow2: a chain of more than {LongestChain} images, or one that is its own backing file");
        var file = ImageFile.Open(path, access);
        try
        {
            return await Qcow2Device.OpenAsync(file, (name, format) =>
            {
                var below = Resolve(path, name, store);
                return format switch
                {
                    "qcow2" => SharedImages.GetAsync(below, async () => await OpenAsync(below, store, ImageAccess.Read, chain - 1, cancellation)),
                    "raw" => SharedImages.GetAsync(below, () => ValueTask.FromResult<IBlockDevice>(OpenRaw(below))),
                    // Guessing a format lets whoever writes the first bytes of a raw disk choose the host's files to read.
                    _ => throw new DiskFormatException($"qcow2: the backing file {name} has the format '{format ?? "none given"}'; qcow2 and raw are read"),
                };
            }, cancellation);
        }
        catch
        {
            await file.DisposeAsync();
            throw;
        }
    }

    private static FixedImage OpenRaw(string path)
    {
        var file = ImageFile.Open(path, ImageAccess.Read);
        return new(file, file.Length);
    }

    private static string Resolve(string path, string name, string store)
    {
        var below = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, name));
        // A link inside the store must not lead out of it either.
        var real = (File.Exists(below) ? File.ResolveLinkTarget(below, returnFinalTarget: true)?.FullName : null) ?? below;
        var root = Path.GetFullPath(store).TrimEnd(Path.DirectorySeparatorChar) + Path.DirectorySeparatorChar;
        if (!below.StartsWith(root, StringComparison.Ordinal) || !real.StartsWith(root, StringComparison.Ordinal))
            throw new DiskFormatException($"qcow2: the backing file {name} is outside of {store}");
        return File.Exists(below) ? below : throw new DiskFormatException($"qcow2: the backing file {name} is not there");
    }
}
