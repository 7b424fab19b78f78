namespace Slipway.Tests;

/// <summary>What a piece of work allocates on its own thread.</summary>
internal static class Allocations
{
    private const int Tries = 50;

    /// <summary>
    /// Bytes. What disturbs a measurement only adds: a collection charges the thread the rest of its allocation quantum (up to
    /// 8 KiB), not always with a count that tells, and other tests allocate at the same time. So it is the least of many.
    /// </summary>
    public static long Of(Action work)
    {
        var least = long.MaxValue;
        for (var i = 0; i < Tries && least > 0; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            work();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        return least;
    }
}
