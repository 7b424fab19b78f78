using System.Runtime.InteropServices;
using Slipway.Server.Iscsi.Epoll;

namespace Slipway.Server.Tests.Iscsi;

public sealed partial class EpollTests
{
    [Fact]
    public async Task Processors_are_those_that_the_thread_may_run_on_now()
    {
        // A thread of its own: which processors a thread of the pool may run on is not ours to change.
        var counts = await Task.Factory.StartNew(Counts, TaskCreationOptions.LongRunning);

        Assert.InRange(counts.Before, 1, int.MaxValue);
        Assert.Equal(1, counts.Bound);
    }

    private static (int Before, int Bound) Counts()
    {
        var before = Native.Processors();
        var mask = new byte[128];
        var here = sched_getcpu();
        mask[here / 8] = (byte)(1 << (here % 8));
        Assert.Equal(0, sched_setaffinity(0, (nuint)mask.Length, mask));
        return (before, Native.Processors());
    }

    [LibraryImport("libc")]
    private static partial int sched_getcpu();

    [LibraryImport("libc")]
    private static partial int sched_setaffinity(int thread, nuint size, byte[] mask);
}
