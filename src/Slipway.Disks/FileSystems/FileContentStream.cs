namespace Slipway.Disks.FileSystems;

/// <summary>
/// A file inside a disk as a stream, which reads its bytes where they are, in pieces or not. Where they are is looked up
/// once: a file that grows or moves meanwhile is read as it was. Asynchronous only, as disks are.
/// </summary>
public sealed class FileContentStream : Stream
{
    private readonly DiskRegion _region;
    private readonly FileExtent[] _extents;

    private FileContentStream(DiskRegion region, FileExtent[] extents, long length) => (_region, _extents, Length) = (region, extents, length);

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length { get; }

    public override long Position { get; set; }

    public static async ValueTask<FileContentStream> OpenAsync(IFileSystem fileSystem, FileEntry file, CancellationToken cancellation = default) =>
        new(fileSystem.Region, [.. await fileSystem.GetExtentsAsync(file, cancellation)], file.Length);

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (Position >= Length || buffer.Length == 0)
            return 0;
        var count = (int)Math.Min(buffer.Length, Length - Position);
        var index = FirstAfter(Position);
        if (index == _extents.Length || _extents[index].FileOffset > Position)
        {
            // A hole, up to the next extent or the end.
            if (index < _extents.Length)
                count = (int)Math.Min(count, _extents[index].FileOffset - Position);
            buffer.Span[..count].Clear();
        }
        else
        {
            var extent = _extents[index];
            count = (int)Math.Min(count, extent.FileOffset + extent.Length - Position);
            if (extent.Unwritten)
                buffer.Span[..count].Clear();
            else
                await _region.ReadAsync(extent.DiskOffset + Position - extent.FileOffset - _region.Start, buffer[..count], cancellationToken);
        }
        Position += count;
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => Position + offset,
        _ => Length + offset,
    };

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("a disk is read asynchronously");

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException("a file inside a disk is read only");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("a file inside a disk is read only");

    // The extents are ordered: the first that ends after a place.
    private int FirstAfter(long place)
    {
        var (low, high) = (0, _extents.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_extents[middle].FileOffset + _extents[middle].Length > place)
                high = middle;
            else
                low = middle + 1;
        }
        return low;
    }
}
