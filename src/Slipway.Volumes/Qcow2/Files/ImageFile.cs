using Microsoft.Win32.SafeHandles;
using Slipway.Disks;
using Slipway.Volumes.Locking;
using Slipway.Volumes.Raw;

namespace Slipway.Volumes.Qcow2.Files;

/// <summary>What an opener does with an image, and what it lets others do meanwhile.</summary>
public enum ImageAccess
{
    /// <summary>Looks, and lets everybody do as they like: what it reads may change.</summary>
    Look,

    /// <summary>Reads what nobody may write.</summary>
    Read,

    /// <summary>Writes, alone.</summary>
    Write,
}

/// <summary>An image in a file of the host, or a block device there.</summary>
public sealed class ImageFile : IImageFile
{
    private readonly SafeFileHandle _handle;
    private readonly bool _isInMemory;
    private long _length;

    private ImageFile(SafeFileHandle handle, bool readOnly) =>
        (_handle, IsReadOnly, _length, _isInMemory) = (handle, readOnly, LinuxFile.LengthOf(handle), LinuxFile.IsInMemory(handle));

    public long Length => Volatile.Read(ref _length);

    public bool IsReadOnly { get; }

    public Guid Boot => LinuxFile.Boot;

    /// <exception cref="IOException">The file is missing, or somebody uses it in a way that this one forbids; the message says who.</exception>
    public static ImageFile Open(string path, ImageAccess access) => Open(path, FileMode.Open, access);

    public static ImageFile Create(string path) => Open(path, FileMode.CreateNew, ImageAccess.Write);

    /// <exception cref="IOException">Somebody uses the image; the message says who.</exception>
    public static void RequireUnused(string path) => Open(path, FileMode.Open, ImageAccess.Write).Close();

    /// <summary>Deletes an image that nobody uses.</summary>
    public static void Delete(string path)
    {
        var file = Open(path, FileMode.Open, ImageAccess.Write);
        try
        {
            File.Delete(path);
        }
        finally
        {
            file.Close();
        }
    }

    public ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellation = default)
    {
        var cached = LinuxFile.ReadCached(_handle, destination.Span, offset, _isInMemory);
        return cached == destination.Length ? ValueTask.CompletedTask : ReadRestAsync(offset + cached, destination[cached..], cancellation);
    }

    public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation = default)
    {
        try
        {
            // Into the page cache: as quick as a copy.
            RandomAccess.Write(_handle, source.Span, offset);
        }
        catch (IOException e)
        {
            return ValueTask.FromException(Refused(e));
        }
        var end = offset + source.Length;
        for (var length = Length; end > length; length = Length) Interlocked.CompareExchange(ref _length, end, length);
        return ValueTask.CompletedTask;
    }

    public async ValueTask FlushAsync(CancellationToken cancellation = default)
    {
        try
        {
            // The call blocks for as long as the medium needs: not on the caller's thread.
            await Task.Run(() => RandomAccess.FlushToDisk(_handle), cancellation);
        }
        catch (IOException e)
        {
            throw Refused(e);
        }
    }

    public void Discard(long offset, long length) => _ = LinuxFile.Zero(_handle, offset, length, mayDiscard: true);

    public (long End, bool IsData) FindExtent(long offset) => LinuxFile.FindExtent(_handle, offset);

    public ValueTask DisposeAsync()
    {
        Close();
        return ValueTask.CompletedTask;
    }

    private void Close()
    {
        if (!_handle.IsClosed) ImageLock.Drop(_handle);
        _handle.Dispose();
    }

    private static ImageFile Open(string path, FileMode mode, ImageAccess access) =>
        ImageLock.Open(path, mode, access, handle => new ImageFile(handle, access != ImageAccess.Write));

    private async ValueTask ReadRestAsync(long offset, Memory<byte> destination, CancellationToken cancellation)
    {
        try
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
        catch (IOException e)
        {
            throw Refused(e);
        }
    }

    private static BlockDeviceException Refused(IOException e) => LinuxFile.IsNoSpace(e)
        ? new(BlockDeviceError.NoSpace, "no space is left for the image", e)
        : new(BlockDeviceError.Io, $"the image's file refused: {e.Message}", e);
}
