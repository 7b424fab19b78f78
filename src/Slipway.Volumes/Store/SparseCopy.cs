using System.Security.Cryptography;

namespace Slipway.Volumes.Store;

/// <summary>Copies a stream to a file, leaves holes where it is zero, and hashes it on the way.</summary>
internal static class SparseCopy
{
    private const int BufferSize = 1 << 20;
    private const int Hole = 64 << 10;

    public static async ValueTask<string> ToFileAsync(Stream source, string path, IProgress<long>? progress, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None);
        var buffer = new byte[BufferSize];
        long at = 0;
        int count;
        while ((count = await source.ReadAtLeastAsync(buffer, BufferSize, throwOnEndOfStream: false, cancellation)) > 0)
        {
            hash.AppendData(buffer, 0, count);
            for (var start = 0; start < count; start += Hole)
            {
                var piece = buffer.AsMemory(start, Math.Min(Hole, count - start));
                if (piece.Span.ContainsAnyExcept((byte)0)) await RandomAccess.WriteAsync(file, piece, at + start, cancellation);
            }
            at += count;
            progress?.Report(at);
        }
        RandomAccess.SetLength(file, at);
        RandomAccess.FlushToDisk(file);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
