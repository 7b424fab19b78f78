namespace Slipway.Tests;

/// <summary>What a piece of work allocates on its own thread.</summary>
internal static class Allocations
{
    private const int Tries = 50;

    /// <summary>
    /// Bytes, exactly. A collection in between charges the thread the rest of its allocation quantum (up to 8 KiB), so
    /// that such a measurement is made again: other tests allocate at the same time. Not every such charge comes with a count
    /// that tells: so it is the least of three.
    /// </summary>
    public static long Of(Action work)
    {
        var (least, measured) = (long.MaxValue, 0);
        for (var i = 0; i < Tries; i++)
        {
            var collections = GC.CollectionCount(0);
            var before = GC.GetAllocatedBytesForCurrentThread();
            work();
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (GC.CollectionCount(0) != collections)
                continue;
            least = Math.Min(least, allocated);
            if (least == 0 || ++measured == 3)
                return least;
        }
        throw new InvalidOperationException($"the collector ran during each of {Tries} measurements");
    }
}
