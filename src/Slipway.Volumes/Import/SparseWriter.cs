using System.Buffers;
using System.Runtime.CompilerServices;
using Microsoft.Win32.SafeHandles;
using Slipway.Disks;
using Slipway.Volumes.Raw;
using Slipway.Volumes.Store;

namespace Slipway.Volumes.Import;

/// <summary>Fills a new raw file piece by piece, from several threads: zeroes become holes, the rest is hashed.</summary>
internal sealed class SparseWriter : IDisposable
{
    private const int Hole = 64 << 10;

    /// <summary>
    /// The longest write. One of 4 MiB took up to five times the system time of eight of these, likely since the page cache
    /// looks for memory in larger blocks for it.
    /// </summary>
    private const int MostWritten = 512 << 10;

    /// <summary>Pieces under way at once: one is read while others are unpacked, hashed and written.</summary>
    private static readonly int Workers = Math.Clamp(Environment.ProcessorCount, 2, 8);

    private readonly SafeFileHandle _file;
    private readonly Lock _writing = new();
    private long _done;

    public SparseWriter(string path) => _file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);

    public PieceHashes Hashes { get; } = new();

    /// <summary>Copies a disk; what it knows to be zero is not read.</summary>
    public async ValueTask CopyAsync(IBlockDevice disk, IProgress<ImportProgress>? progress, CancellationToken cancellation)
    {
        SetLength(disk.Length);
        await Parallel.ForEachAsync(PiecesAsync(disk, cancellation), Options(cancellation), async (offset, stop) =>
        {
            var buffer = ArrayPool<byte>.Shared.Rent(PieceHashes.PieceSize);
            try
            {
                var piece = buffer.AsMemory(0, (int)Math.Min(PieceHashes.PieceSize, disk.Length - offset));
                await disk.ReadAsync(offset, piece, stop);
                Store(offset, piece.Span);
                Report("copy", disk.Length, piece.Length, progress);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        });
        RandomAccess.FlushToDisk(_file);
        progress?.Report(new("copy", disk.Length, disk.Length));
    }

    /// <summary>Copies a stream whose length nobody knows; <paramref name="packed"/> says how far it has come.</summary>
    public async ValueTask CopyAsync(Stream stream, Stream packed, IProgress<ImportProgress>? progress, CancellationToken cancellation)
    {
        await Parallel.ForEachAsync(StreamAsync(stream, packed, progress, cancellation), Options(cancellation), (piece, _) =>
        {
            try
            {
                Store(piece.Offset, piece.Buffer.AsSpan(0, piece.Length));
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(piece.Buffer);
            }
            Interlocked.Add(ref _done, piece.Length);
            return ValueTask.CompletedTask;
        });
        var length = Interlocked.Read(ref _done);
        if (length == 0) throw new DiskFormatException("the file is empty");
        SetLength(length);
        RandomAccess.FlushToDisk(_file);
    }

    public void Dispose() => _file.Dispose();

    private static ParallelOptions Options(CancellationToken cancellation) =>
        new() { MaxDegreeOfParallelism = Workers, CancellationToken = cancellation };

    private void SetLength(long length)
    {
        RandomAccess.SetLength(_file, length);
        Hashes.Length = length;
    }

    private void Store(long offset, ReadOnlySpan<byte> piece)
    {
        if (!piece.ContainsAnyExcept((byte)0)) return;
        Hashes.Add(offset, piece);
        // The kernel lets one thread at a time write to a file, and the others spin; these read and hash meanwhile.
        lock (_writing) WriteRuns(offset, piece);
        LinuxFile.BeginWriteback(_file, offset, piece.Length);
    }

    private void WriteRuns(long offset, ReadOnlySpan<byte> piece)
    {
        // Each run that is not zero.
        for (var start = 0; start < piece.Length;)
        {
            if (IsZero(piece, start))
            {
                start += Hole;
                continue;
            }
            var end = start;
            while (end < piece.Length && end - start < MostWritten && !IsZero(piece, end)) end += Hole;
            end = Math.Min(end, piece.Length);
            Write(offset + start, piece[start..end]);
            start = end;
        }
    }

    private void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        try
        {
            RandomAccess.Write(_file, bytes, offset);
        }
        catch (IOException e) when (LinuxFile.IsNoSpace(e))
        {
            throw new VolumeStoreException("no space is left for the image; nothing was imported", e);
        }
    }

    private static bool IsZero(ReadOnlySpan<byte> piece, int start) => !piece[start..Math.Min(start + Hole, piece.Length)].ContainsAnyExcept((byte)0);

    private void Report(string step, long total, int more, IProgress<ImportProgress>? progress)
    {
        var done = Interlocked.Add(ref _done, more);
        progress?.Report(new(step, done, total));
    }

    // Where a disk has data, in pieces.
    private static async IAsyncEnumerable<long> PiecesAsync(IBlockDevice disk, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var next = 0L;
        for (var at = 0L; at < disk.Length;)
        {
            var extent = await disk.GetExtentAsync(at, cancellation);
            at += extent.Length;
            if (extent.Kind != ExtentKind.Data) continue;
            for (next = Math.Max(next, extent.Offset / PieceHashes.PieceSize * PieceHashes.PieceSize); next < at; next += PieceHashes.PieceSize) yield return next;
        }
    }

    private static async IAsyncEnumerable<(long Offset, byte[] Buffer, int Length)> StreamAsync(
        Stream stream, Stream packed, IProgress<ImportProgress>? progress, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var offset = 0L;
        while (true)
        {
            var buffer = ArrayPool<byte>.Shared.Rent(PieceHashes.PieceSize);
            var count = await stream.ReadAtLeastAsync(buffer.AsMemory(0, PieceHashes.PieceSize), PieceHashes.PieceSize, throwOnEndOfStream: false, cancellation);
            if (count == 0)
            {
                ArrayPool<byte>.Shared.Return(buffer);
                progress?.Report(new("unpack", packed.Length, packed.Length));
                yield break;
            }
            progress?.Report(new("unpack", packed.Position, packed.Length));
            // A disk has whole sectors.
            var padded = (count + 511) / 512 * 512;
            buffer.AsSpan(count, padded - count).Clear();
            count = padded;
            yield return (offset, buffer, count);
            offset += count;
        }
    }
}
