using Slipway.Disks;

namespace Slipway.Volumes.Qcow2.Files;

/// <summary>
/// The images that chains of this process stand on, each open once: a thousand clones of one golden image share its file
/// and its tables. Nobody writes them while they are open.
/// </summary>
internal static class SharedImages
{
    private static readonly Dictionary<string, SharedImage> Open = [];

    public static async ValueTask<IBlockDevice> GetAsync(string path, Func<ValueTask<IBlockDevice>> open)
    {
        if (Find(path) is { } found) return found;
        // Opened outside of the lock: an image may stand on another. Who comes second closes its own.
        var mine = new SharedImage(path, await open());
        SharedImage? other;
        lock (Open)
        {
            other = Take(path);
            if (other is null) Open.Add(path, mine);
        }
        if (other is null) return mine;
        await mine.Below.DisposeAsync();
        return other;
    }

    private static SharedImage? Find(string path)
    {
        lock (Open) return Take(path);
    }

    private static SharedImage? Take(string path)
    {
        if (Open.TryGetValue(path, out var image)) image.Users++;
        return image;
    }

    private sealed class SharedImage(string path, IBlockDevice below) : IBlockDevice
    {
        public IBlockDevice Below { get; } = below;

        public int Users { get; set; } = 1;

        public long Length => Below.Length;

        public bool IsReadOnly => true;

        public ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellation = default) => Below.ReadAsync(offset, destination, cancellation);

        public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation = default) => Below.WriteAsync(offset, source, cancellation);

        public ValueTask FlushAsync(CancellationToken cancellation = default) => Below.FlushAsync(cancellation);

        public ValueTask DiscardAsync(long offset, long length, CancellationToken cancellation = default) => Below.DiscardAsync(offset, length, cancellation);

        public ValueTask WriteZeroesAsync(long offset, long length, bool mayDiscard, CancellationToken cancellation = default) =>
            Below.WriteZeroesAsync(offset, length, mayDiscard, cancellation);

        public ValueTask<Extent> GetExtentAsync(long offset, CancellationToken cancellation = default) => Below.GetExtentAsync(offset, cancellation);

        /// <summary>Each user disposes of it once; the last one closes it.</summary>
        public ValueTask DisposeAsync()
        {
            lock (Open)
            {
                if (--Users > 0) return ValueTask.CompletedTask;
                Open.Remove(path);
            }
            return Below.DisposeAsync();
        }
    }
}
