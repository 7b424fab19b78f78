using Microsoft.Win32.SafeHandles;
using Slipway.Disks;
using Slipway.Volumes.Locking;
using Slipway.Volumes.Qcow2.Files;

namespace Slipway.Volumes.Raw;

/// <summary>
/// A raw file, or a block device of the host, as a disk. Holes are holes: discarding makes them, and the extent map shows them. A read that the page
/// cache holds is answered on the caller's thread, without allocation; another moves to a worker.
/// </summary>
public sealed class RawFile : IBlockDevice
{
    private const int SectorSize = 512;

    private readonly SafeFileHandle _handle;
    private readonly bool _isInMemory;

    private RawFile(SafeFileHandle handle, bool readOnly, long length)
    {
        (_handle, IsReadOnly, Length) = (handle, readOnly, length);
        _isInMemory = LinuxFile.IsInMemory(handle);
    }

    public long Length { get; }

    public bool IsReadOnly { get; }

    /// <summary>Opens a file. A writable one is open once: a second writer is refused, in this process or another, QEMU's tools included.</summary>
    /// <exception cref="IOException">The file is missing, in use, or its length is none of a disk.</exception>
    public static RawFile Open(string path, bool readOnly = false)
    {
        if (Directory.Exists(path))
            throw new IOException($"{path} is a folder: name the file in it");
        return ImageLock.Open(path, FileMode.Open, readOnly ? ImageAccess.Read : ImageAccess.Write, handle =>
        {
            var length = LinuxFile.LengthOf(handle);
            return length == 0 ? throw new IOException($"{path} is empty, which is no disk: truncate -s 20G makes it one of 20 GiB")
                : length % SectorSize != 0 ? throw new IOException($"{path} has {length} bytes, which is no whole number of sectors of {SectorSize}: truncate -s %{SectorSize} makes it one")
                : new RawFile(handle, readOnly, length);
        });
    }

    public ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellation = default)
    {
        CheckRange(offset, destination.Length);
        var cached = LinuxFile.ReadCached(_handle, destination.Span, offset, _isInMemory);
        return cached == destination.Length
            ? ValueTask.CompletedTask
            : ReadRestAsync(offset + cached, destination[cached..], cancellation);
    }

    public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation = default)
    {
        CheckRange(offset, source.Length);
        if (IsReadOnly)
            return ValueTask.FromException(ReadOnly());
        try
        {
            // Into the page cache: as quick as a copy.
            RandomAccess.Write(_handle, source.Span, offset);
            return ValueTask.CompletedTask;
        }
        catch (IOException e)
        {
            return ValueTask.FromException(Refused(e));
        }
    }

    public async ValueTask FlushAsync(CancellationToken cancellation = default)
    {
        if (IsReadOnly)
            return;
        try
        {
            await Task.Run(() => RandomAccess.FlushToDisk(_handle), cancellation);
        }
        catch (IOException e)
        {
            throw Refused(e);
        }
    }

    public ValueTask DiscardAsync(long offset, long length, CancellationToken cancellation = default) =>
        WriteZeroesAsync(offset, length, mayDiscard: true, cancellation);

    public ValueTask WriteZeroesAsync(long offset, long length, bool mayDiscard, CancellationToken cancellation = default)
    {
        CheckRange(offset, length);
        if (IsReadOnly)
            return ValueTask.FromException(ReadOnly());
        if (length == 0)
            return ValueTask.CompletedTask;
        return LinuxFile.Zero(_handle, offset, length, mayDiscard) switch
        {
            ZeroResult.Done => ValueTask.CompletedTask,
            ZeroResult.NoSpace => ValueTask.FromException(new BlockDeviceException(BlockDeviceError.NoSpace, "no space is left on the volume's file system")),
            _ => WriteZeroBytesAsync(offset, length, cancellation),
        };
    }

    public ValueTask<Extent> GetExtentAsync(long offset, CancellationToken cancellation = default)
    {
        CheckRange(offset, 1);
        var (end, isData) = LinuxFile.FindExtent(_handle, offset);
        return ValueTask.FromResult(new Extent(offset, Math.Min(end, Length) - offset, isData ? ExtentKind.Data : ExtentKind.Hole));
    }

    public ValueTask DisposeAsync()
    {
        if (!_handle.IsClosed)
            ImageLock.Drop(_handle);
        _handle.Dispose();
        return ValueTask.CompletedTask;
    }

    private async ValueTask ReadRestAsync(long offset, Memory<byte> destination, CancellationToken cancellation)
    {
        try
        {
            while (destination.Length > 0)
            {
                var count = await RandomAccess.ReadAsync(_handle, destination, offset, cancellation);
                if (count == 0)
                    throw new BlockDeviceException(BlockDeviceError.Io, $"the volume's file ends at {offset}: somebody cut it");
                destination = destination[count..];
                offset += count;
            }
        }
        catch (IOException e) when (e is not BlockDeviceException)
        {
            throw Refused(e);
        }
    }

    // A file system that cannot make holes.
    private async ValueTask WriteZeroBytesAsync(long offset, long length, CancellationToken cancellation)
    {
        var zeroes = new byte[(int)Math.Min(length, 1 << 20)];
        // The page cache takes them without a wait: the caller's thread is not to be held all the while.
        if (length > zeroes.Length)
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        for (var done = 0L; done < length; done += zeroes.Length)
        {
            cancellation.ThrowIfCancellationRequested();
            await WriteAsync(offset + done, zeroes.AsMemory(0, (int)Math.Min(zeroes.Length, length - done)), cancellation);
        }
    }

    private void CheckRange(long offset, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length - offset);
    }

    private static BlockDeviceException ReadOnly() => new(BlockDeviceError.ReadOnly, "the volume is open for reading only");

    private static BlockDeviceException Refused(IOException e) => new(
        LinuxFile.IsNoSpace(e) ? BlockDeviceError.NoSpace : BlockDeviceError.Io, $"the volume's file refused: {e.Message}", e);
}
