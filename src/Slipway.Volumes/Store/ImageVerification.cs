using System.Buffers;
using Slipway.Volumes.Import;
using Slipway.Volumes.Qcow2.Files;

namespace Slipway.Volumes.Store;

/// <summary>Compares an image with its length and the hashes of its pieces, on all cores; holes are looked at, not read.</summary>
internal static class ImageVerification
{
    public static async ValueTask<long?> RunAsync(ImageFile file, PieceHashes pieces, IProgress<ImportProgress>? progress, CancellationToken cancellation)
    {
        var count = (file.Length + PieceHashes.PieceSize - 1) / PieceHashes.PieceSize;
        var (damaged, done) = (long.MaxValue, 0L);
        var found = new Lock();
        await Parallel.ForAsync(0, count, cancellation, async (index, stop) =>
        {
            var offset = index * PieceHashes.PieceSize;
            var length = (int)Math.Min(PieceHashes.PieceSize, file.Length - offset);
            var isWhole = await IsWholeAsync(file, offset, length, pieces.At(offset), stop);
            lock (found)
            {
                if (!isWhole) damaged = Math.Min(damaged, offset);
                done += length;
                progress?.Report(new("verify", done, file.Length));
            }
        });
        // One that was cut, or is longer, has its first difference there at the latest.
        if (pieces.Length is { } length && length != file.Length) damaged = Math.Min(damaged, Math.Min(length, file.Length));
        return damaged == long.MaxValue ? null : damaged;
    }

    private static async ValueTask<bool> IsWholeAsync(ImageFile file, long offset, int length, string? hash, CancellationToken cancellation)
    {
        var (end, isData) = file.FindExtent(offset);
        if (!isData && end >= offset + length) return hash is null;
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            await file.ReadAsync(offset, buffer.AsMemory(0, length), cancellation);
            var piece = buffer.AsSpan(0, length);
            return hash is null ? !piece.ContainsAnyExcept((byte)0) : PieceHashes.Of(piece) == hash;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
