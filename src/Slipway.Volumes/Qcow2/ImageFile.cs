using Microsoft.Win32.SafeHandles;
using Slipway.Disks;

namespace Slipway.Volumes.Qcow2;

/// <summary>An image in a file of the host.</summary>
public sealed class ImageFile : IImageFile
{
    private const int DiskFull = unchecked((int)0x80070070), NoSpaceLeft = 28;
    private readonly SafeFileHandle _handle;
    private long _length;

    private ImageFile(SafeFileHandle handle, bool readOnly) => (_handle, IsReadOnly, _length) = (handle, readOnly, RandomAccess.GetLength(handle));

    public long Length => Volatile.Read(ref _length);

    public bool IsReadOnly { get; }

    /// <summary>A writable image is open once: another writer is refused by the host's file lock.</summary>
    public static ImageFile Open(string path, bool writable) => new(File.OpenHandle(path, FileMode.Open,
        writable ? FileAccess.ReadWrite : FileAccess.Read, writable ? FileShare.None : FileShare.Read), !writable);

    public static ImageFile Create(string path) => new(File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None), readOnly: false);

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
        return ValueTask.CompletedTask;
    }
}
