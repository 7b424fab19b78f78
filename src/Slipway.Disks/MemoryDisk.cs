using System.Collections.Concurrent;

namespace Slipway.Disks;

/// <summary>A disk in memory that keeps only what was written: a page that was never touched takes no space.</summary>
public sealed class MemoryDisk : IBlockDevice
{
    private const int PageSize = 64 * 1024;
    private readonly ConcurrentDictionary<long, byte[]> _pages = [];

    public MemoryDisk(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        if (length % 512 != 0) throw new ArgumentOutOfRangeException(nameof(length), length, "a disk's length is a multiple of 512");
        Length = length;
    }

    public MemoryDisk(ReadOnlySpan<byte> content) : this((content.Length + 511L) / 512 * 512) => Store(0, content);

    public long Length { get; }

    public bool IsReadOnly { get; init; }

    public ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellation = default)
    {
        Check(offset, destination.Length);
        var left = destination.Span;
        while (left.Length > 0)
        {
            var (page, within) = long.DivRem(offset, PageSize);
            var run = (int)Math.Min(left.Length, PageSize - within);
            if (_pages.TryGetValue(page, out var bytes)) bytes.AsSpan((int)within, run).CopyTo(left);
            else left[..run].Clear();
            left = left[run..];
            offset += run;
        }
        return ValueTask.CompletedTask;
    }

    public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation = default)
    {
        Check(offset, source.Length);
        if (IsReadOnly) throw new BlockDeviceException(BlockDeviceError.ReadOnly, "this disk takes no writes");
        Store(offset, source.Span);
        return ValueTask.CompletedTask;
    }

    public ValueTask FlushAsync(CancellationToken cancellation = default) => ValueTask.CompletedTask;

    public ValueTask DiscardAsync(long offset, long length, CancellationToken cancellation = default) =>
        WriteZeroesAsync(offset, length, mayDiscard: true, cancellation);

    public ValueTask WriteZeroesAsync(long offset, long length, bool mayDiscard, CancellationToken cancellation = default)
    {
        Check(offset, length);
        if (IsReadOnly) throw new BlockDeviceException(BlockDeviceError.ReadOnly, "this disk takes no writes");
        while (length > 0)
        {
            var (page, within) = long.DivRem(offset, PageSize);
            var run = Math.Min(length, PageSize - within);
            if (run == PageSize) _pages.TryRemove(page, out _);
            else if (_pages.TryGetValue(page, out var bytes)) bytes.AsSpan((int)within, (int)run).Clear();
            offset += run;
            length -= run;
        }
        return ValueTask.CompletedTask;
    }

    public ValueTask<Extent> GetExtentAsync(long offset, CancellationToken cancellation = default)
    {
        Check(offset, 1);
        var stored = _pages.ContainsKey(offset / PageSize);
        var end = (offset / PageSize + 1) * PageSize;
        while (end < Length && _pages.ContainsKey(end / PageSize) == stored) end += PageSize;
        return ValueTask.FromResult(new Extent(offset, Math.Min(end, Length) - offset, stored ? ExtentKind.Data : ExtentKind.Hole));
    }

    /// <summary>Writes the disk out; ranges never written are skipped where the stream can seek.</summary>
    public void CopyTo(Stream destination, IProgress<long>? progress = null)
    {
        destination.SetLength(Length);
        foreach (var (page, bytes) in _pages.OrderBy(p => p.Key))
        {
            destination.Position = page * PageSize;
            destination.Write(bytes, 0, (int)Math.Min(PageSize, Length - destination.Position));
            progress?.Report(destination.Position);
        }
        progress?.Report(Length);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private void Store(long offset, ReadOnlySpan<byte> source)
    {
        while (source.Length > 0)
        {
            var (page, within) = long.DivRem(offset, PageSize);
            var run = (int)Math.Min(source.Length, PageSize - within);
            source[..run].CopyTo(_pages.GetOrAdd(page, _ => new byte[PageSize]).AsSpan((int)within));
            source = source[run..];
            offset += run;
        }
    }

    private void Check(long offset, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - length);
    }
}
