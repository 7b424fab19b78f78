using Microsoft.Win32.SafeHandles;
using Slipway.Disks;

namespace Slipway.Volumes.Qcow2;

/// <summary>An image in a file of the host.</summary>
public sealed class ImageFile : IImageFile
{
    private const int DiskFull = unchecked((int)0x80070070), NoSpaceLeft = 28;
    private readonly SafeFileHandle _handle;
    private readonly SafeFileHandle? _lock;
    private long _length;

    private ImageFile(SafeFileHandle handle, SafeFileHandle? lockFile) =>
        (_handle, _lock, IsReadOnly, _length) = (handle, lockFile, lockFile is null, RandomAccess.GetLength(handle));

    public long Length => Volatile.Read(ref _length);

    public bool IsReadOnly { get; }

    /// <summary>Opens an image. A writable one is open once; a second writer is refused, in this process or another.</summary>
    public static ImageFile Open(string path, bool writable)
    {
        var lockFile = writable ? Lock(path) : null;
        try
        {
            return new(File.OpenHandle(path, FileMode.Open, writable ? FileAccess.ReadWrite : FileAccess.Read, FileShare.Read), lockFile);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            lockFile?.Dispose();
            throw;
        }
    }

    public static ImageFile Create(string path)
    {
        var lockFile = Lock(path);
        try
        {
            return new(File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read), lockFile);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            lockFile.Dispose();
            throw;
        }
    }

    /// <summary>Deletes an image that nobody writes.</summary>
    public static void Delete(string path)
    {
        using (Lock(path)) File.Delete(path);
        File.Delete(LockPath(path));
    }

    public async ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellation = default)
    {
        while (destination.Length > 0)
        {
            var count = await RandomAccess.ReadAsync(_handle, destination, offset, cancellation);
            if (count == 0)
            {
                destination.Span.Clear();
                return;
            }
            destination = destination[count..];
            offset += count;
        }
    }

    public async ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation = default)
    {
        try
        {
            await RandomAccess.WriteAsync(_handle, source, offset, cancellation);
        }
        catch (IOException e) when (e.HResult is DiskFull or NoSpaceLeft)
        {
            throw new BlockDeviceException(BlockDeviceError.NoSpace, "no space is left for the image", e);
        }
        var end = offset + source.Length;
        for (var length = Length; end > length; length = Length) Interlocked.CompareExchange(ref _length, end, length);
    }

    public async ValueTask FlushAsync(CancellationToken cancellation = default) =>
        // The call blocks for as long as the medium needs: not on the caller's thread.
        await Task.Run(() => RandomAccess.FlushToDisk(_handle), cancellation);

    public ValueTask DisposeAsync()
    {
        _handle.Dispose();
        _lock?.Dispose();
        return ValueTask.CompletedTask;
    }

    // A lock on the image itself would shut readers of its header out as well: a hidden file beside it stands for it.
    private static SafeFileHandle Lock(string path)
    {
        try
        {
            return File.OpenHandle(LockPath(path), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (File.Exists(LockPath(path)))
        {
            throw new IOException($"{Path.GetFileName(path)} is in use", e);
        }
    }

    private static string LockPath(string path) => Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, $".{Path.GetFileName(path)}.lock");
}
