using System.Buffers.Binary;
using Slipway.Disks;
using Slipway.Scsi.AtomicWriting;
using Slipway.Volumes;
using Slipway.Volumes.Raw;

namespace Slipway.Server.Disks;

/// <summary>
/// Keeps the atomic write that is under way in a file beside the disk, <c>FILE.atomic</c>, which is there for as long as
/// the write takes: its offset, what was there, what is to be there.
/// </summary>
public sealed class FileAtomicWriteStore : IAtomicWriteStore
{
    private const int HeaderLength = 16;

    private static ReadOnlySpan<byte> Magic => "SLATOMIC"u8;

    private readonly string _path;

    private FileAtomicWriteStore(string path) => _path = path;

    /// <summary>
    /// Completes what a crash has torn. Null for a device, where nothing can stand beside it, and for a disk that takes no writes.
    /// </summary>
    /// <param name="path">The disk's file.</param>
    /// <exception cref="IOException">A write was torn, and cannot be completed.</exception>
    public static async ValueTask<FileAtomicWriteStore?> RecoverAsync(IBlockDevice device, string path, CancellationToken cancellation)
    {
        if (device.IsReadOnly || !BesideDisk.HasRoom(path))
            return null;
        var store = new FileAtomicWriteStore(BesideDisk.AtomicWrite(path));
        if (store.Load() is not { } write)
            return store;
        await write.CompleteAsync(device, cancellation);
        await store.ClearAsync();
        return store;
    }

    public ValueTask SaveAsync(AtomicWrite write)
    {
        ArgumentNullException.ThrowIfNull(write);
        var content = new byte[HeaderLength + write.Before.Length + write.After.Length];
        Magic.CopyTo(content);
        BinaryPrimitives.WriteInt64BigEndian(content.AsSpan(Magic.Length), write.Offset);
        write.Before.CopyTo(content.AsMemory(HeaderLength));
        write.After.CopyTo(content.AsMemory(HeaderLength + write.Before.Length));
        return RunAsync(() => DurableFile.Replace(_path, content));
    }

    public ValueTask ClearAsync() => RunAsync(() => DurableFile.Delete(_path));

    private AtomicWrite? Load()
    {
        if (!File.Exists(_path))
            return null;
        var content = File.ReadAllBytes(_path);
        var length = (content.Length - HeaderLength) / 2;
        var offset = length > 0 && content.AsSpan().StartsWith(Magic) ? BinaryPrimitives.ReadInt64BigEndian(content.AsSpan(Magic.Length)) : -1;
        if (offset < 0 || length % 512 != 0 || content.Length != HeaderLength + 2 * length)
            throw new IOException($"{_path} should hold a write to this disk that a crash may have torn, and does not. Delete it to serve the disk without it.");
        return new(offset, content.AsMemory(HeaderLength, length), content.AsMemory(HeaderLength + length));
    }

    private async ValueTask RunAsync(Action change)
    {
        try
        {
            await Task.Run(change);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BlockDeviceException(BlockDeviceError.Io, $"{_path} could not be changed: {e.Message}", e);
        }
    }
}
