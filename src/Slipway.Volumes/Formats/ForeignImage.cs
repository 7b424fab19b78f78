using Slipway.Disks;
using Slipway.Volumes.Qcow2.Files;

namespace Slipway.Volumes.Formats;

/// <summary>Where one block of another format's image is.</summary>
/// <param name="Offset">In the file; 0 where the block is nowhere and reads as zeroes.</param>
/// <param name="IsCompressed">At <paramref name="Offset"/> is what <see cref="ForeignImage.UnpackAsync"/> understands.</param>
/// <param name="Blocks">So many blocks from this one on are nowhere together; 1 where the block is somewhere.</param>
internal readonly record struct ForeignBlock(long Offset, bool IsCompressed = false, long Blocks = 1);

/// <summary>
/// An image of another format, to read: blocks of one size, each somewhere in the file or nowhere. Tables are read where
/// they are, entry by entry: a damaged header cannot make anybody allocate them.
/// </summary>
internal abstract class ForeignImage(IImageFile file, long length, int blockSize) : IBlockDevice
{
    protected static readonly ForeignBlock Nowhere = new(0);

    public long Length { get; } = length;

    public bool IsReadOnly => true;

    protected IImageFile File { get; } = file;

    protected int BlockSize { get; } = blockSize;

    public async ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - destination.Length);
        while (destination.Length > 0)
        {
            var (block, within) = Math.DivRem(offset, BlockSize);
            var part = destination[..(int)Math.Min(destination.Length, BlockSize - within)];
            var found = await FindAsync(block, cancellation);
            if (found.Offset == 0) part.Span.Clear();
            else if (found.IsCompressed) (await UnpackAsync(found.Offset, block, cancellation)).AsMemory((int)within, part.Length).CopyTo(part);
            else
            {
                Inside(found.Offset, within + part.Length, $"block {block}");
                await File.ReadAsync(found.Offset + within, part, cancellation);
            }
            destination = destination[part.Length..];
            offset += part.Length;
        }
    }

    public async ValueTask<Extent> GetExtentAsync(long offset, CancellationToken cancellation = default)
    {
        var block = offset / BlockSize;
        var found = await FindAsync(block, cancellation);
        var isData = found.Offset != 0;
        var end = (block + found.Blocks) * BlockSize;
        // Bounded: an answer may be shorter than the run.
        for (var i = 0; i < 4096 && end < Length; i++)
        {
            var next = await FindAsync(end / BlockSize, cancellation);
            if (next.Offset != 0 != isData) break;
            end += next.Blocks * BlockSize;
        }
        return new(offset, Math.Min(end, Length) - offset, isData ? ExtentKind.Data : ExtentKind.Hole);
    }

    public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation = default) => throw Refusal();

    public ValueTask FlushAsync(CancellationToken cancellation = default) => ValueTask.CompletedTask;

    public ValueTask DiscardAsync(long offset, long length, CancellationToken cancellation = default) => throw Refusal();

    public ValueTask WriteZeroesAsync(long offset, long length, bool mayDiscard, CancellationToken cancellation = default) => throw Refusal();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return File.DisposeAsync();
    }

    protected abstract ValueTask<ForeignBlock> FindAsync(long block, CancellationToken cancellation);

    protected virtual ValueTask<byte[]> UnpackAsync(long offset, long block, CancellationToken cancellation) =>
        throw new NotSupportedException("this format compresses nothing");

    protected async ValueTask<byte[]> ReadAsync(long offset, int length, string what, CancellationToken cancellation)
    {
        Inside(offset, length, what);
        var bytes = new byte[length];
        await File.ReadAsync(offset, bytes, cancellation);
        return bytes;
    }

    protected void Inside(long offset, long length, string what) => Inside(File, offset, length, what);

    protected static void Inside(IImageFile file, long offset, long length, string what)
    {
        if (offset < 0 || length < 0 || offset > file.Length - length)
            throw new DiskFormatException($"{what}, {length} bytes at {offset}, is outside of the file's {file.Length}");
    }

    protected static long CheckLength(long length, string format) => length is > 0 and <= 1L << 50 && length % 512 == 0
        ? length
        : throw new DiskFormatException($"{format}: a disk of {length} bytes");

    private static BlockDeviceException Refusal() => new(BlockDeviceError.ReadOnly, "images of other formats take no writes");
}
