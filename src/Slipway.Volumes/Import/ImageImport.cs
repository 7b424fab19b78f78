using System.Security.Cryptography;
using Slipway.Disks;
using Slipway.Volumes.Formats;
using Slipway.Volumes.Qcow2.Files;
using Slipway.Volumes.Raw;
using Slipway.Volumes.Store;

namespace Slipway.Volumes.Import;

/// <summary>
/// Brings a disk from anywhere into the image store, as a sparse raw file: fetched if need be, checked against what the
/// operator says it must hash to, unpacked, read in its format. Nothing is published before all of that is done.
/// </summary>
internal sealed class ImageImport(string folder, IProgress<ImportProgress>? progress)
{
    private const int BufferSize = 1 << 20;

    /// <param name="source">A path, or an address with http or https.</param>
    /// <param name="target">The raw file to make.</param>
    /// <param name="sha256">Of the source as it is, packed or not; null where nobody knows.</param>
    public async ValueTask<PieceHashes> RunAsync(string source, string target, string? sha256, CancellationToken cancellation)
    {
        try
        {
            if (!source.Contains("://", StringComparison.Ordinal)) return await FromFileAsync(source, target, sha256, cancellation);
            if (!Uri.TryCreate(source, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
                throw new VolumeStoreException($"{source} is no address with http or https, and others are not fetched: give one, or a path");
            var download = new Download(folder, address);
            await download.FetchAsync(progress, cancellation);
            try
            {
                var pieces = await FromFileAsync(download.Path, target, sha256, cancellation);
                download.Forget();
                return pieces;
            }
            catch (Exception e) when (e is VolumeStoreException or DiskFormatException or BlockDeviceException { Error: BlockDeviceError.Corrupt } || Packing.IsDamage(e))
            {
                // These bytes will not be better at the next try.
                download.Forget();
                throw;
            }
        }
        catch (Exception e) when (e is DiskFormatException or BlockDeviceException)
        {
            throw new VolumeStoreException($"{e.Message}. Nothing was imported", e);
        }
        catch (Exception e) when (Packing.IsDamage(e))
        {
            throw new VolumeStoreException($"the file is damaged or cut short: {e.Message}. Nothing was imported", e);
        }
    }

    private async ValueTask<PieceHashes> FromFileAsync(string path, string target, string? sha256, CancellationToken cancellation)
    {
        if (!File.Exists(path)) throw new VolumeStoreException(Directory.Exists(path) ? $"{path} is a folder: give a file" : $"there is no file {path}");
        await using var source = OpenSource(path);
        if (sha256 is not null) await CheckAsync(source, sha256, cancellation);
        var start = await StartOfAsync(source, cancellation);
        if (!Packing.IsPacked(start)) return await FromImageAsync(path, target, cancellation);
        await using var packed = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, BufferSize);
        await using var content = Packing.Open(packed, start);
        var first = new byte[DiskFormat.MarkBytes];
        var count = await content.ReadAtLeastAsync(first, first.Length, throwOnEndOfStream: false, cancellation);
        var whole = new Prefixed(first.AsMemory(0, count), content);
        var pieces = await FromStreamAsync(whole, packed, target, cancellation);
        if (DiskFormat.Detect(first.AsSpan(0, count)) == DiskFormat.Raw && !await DiskFormat.IsFixedVhdAsync(target, cancellation)) return pieces;

        // Every other format is read here and there: it had to be a file first.
        var unpacked = target + ".unpacked";
        try
        {
            File.Move(target, unpacked);
            return await FromImageAsync(unpacked, target, cancellation);
        }
        finally
        {
            File.Delete(unpacked);
        }
    }

    private async ValueTask<PieceHashes> FromImageAsync(string path, string target, CancellationToken cancellation)
    {
        await using var file = ImageFile.Open(path, ImageAccess.Read);
        await using var disk = await DiskFormat.OpenAsync(file, cancellation);
        using var raw = new SparseWriter(target);
        await raw.CopyAsync(disk, progress, cancellation);
        return raw.Hashes;
    }

    private async ValueTask<PieceHashes> FromStreamAsync(Stream content, FileStream packed, string target, CancellationToken cancellation)
    {
        using var raw = new SparseWriter(target);
        await raw.CopyAsync(content, packed, progress, cancellation);
        return raw.Hashes;
    }

    private static FileStream OpenSource(string path)
    {
        var file = LinuxFile.OpenSource(path) ?? throw new VolumeStoreException(
            $"{path} is in use (mounted, part of an array or a volume group, or another import reads it) and may change meanwhile: unmount it, or import a snapshot of it");
        // Whoever writes to it is found, and named, when it is opened as an image.
        var source = new FileStream(file, FileAccess.Read, bufferSize: 0);
        if (source.CanSeek) return source;
        source.Dispose();
        throw new VolumeStoreException($"{path} is a pipe, and formats are read here and there: give a file");
    }

    private async ValueTask CheckAsync(FileStream file, string sha256, CancellationToken cancellation)
    {
        var length = LinuxFile.LengthOf(file.SafeFileHandle);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[BufferSize];
        int count;
        while ((count = await file.ReadAsync(buffer, cancellation)) > 0)
        {
            hash.AppendData(buffer, 0, count);
            progress?.Report(new("check", file.Position, length));
        }
        var found = Convert.ToHexStringLower(hash.GetHashAndReset());
        if (!string.Equals(found, sha256, StringComparison.OrdinalIgnoreCase))
            throw new VolumeStoreException($"the source's SHA-256 is {found}, not {sha256}: it is another file, or was damaged on its way. Nothing was imported");
    }

    private static async ValueTask<byte[]> StartOfAsync(FileStream file, CancellationToken cancellation)
    {
        var start = new byte[Packing.MarkBytes];
        file.Position = 0;
        var count = await file.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, cancellation);
        return start[..count];
    }

    /// <summary>A stream of which the first bytes were looked at already.</summary>
    private sealed class Prefixed(ReadOnlyMemory<byte> first, Stream rest) : ReadOnlyStream
    {
        private ReadOnlyMemory<byte> _first = first;

        public override int Read(Span<byte> buffer)
        {
            if (_first.IsEmpty) return rest.Read(buffer);
            var count = Math.Min(buffer.Length, _first.Length);
            _first.Span[..count].CopyTo(buffer);
            _first = _first[count..];
            return count;
        }
    }
}
