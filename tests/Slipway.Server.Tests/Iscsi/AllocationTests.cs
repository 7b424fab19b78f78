using System.Runtime.Versioning;
using Slipway.Server.Iscsi.Epoll;

namespace Slipway.Server.Tests.Iscsi;

/// <summary>The data path allocates nothing per command once warm: counted, not timed.</summary>
[SupportedOSPlatform("linux")]
public sealed class AllocationTests
{
    private const int Warm = 2_000;
    private const int Counted = 5_000;
    private const int Depth = 8;

    [Theory]
    [InlineData(false, 4096)]
    [InlineData(false, 131_072)]
    [InlineData(true, 4096)]
    [InlineData(true, 65_536)]
    public async Task A_command_allocates_nothing(bool write, int size)
    {
        AllocationLayer? counter = null;
        await using var site = new TransportSite(new EpollTransport(1), disk => counter = new AllocationLayer(disk));
        using var initiator = site.LogIn();
        var data = new byte[size];
        Run(Warm);
        // A collection in between charges the loop's thread the rest of its allocation quantum: it is counted anew.
        int collections, tries = 0;
        do
        {
            collections = GC.CollectionCount(0);
            counter!.Clear();
            Run(Counted);
        }
        while (GC.CollectionCount(0) != collections && ++tries < 50);
        Assert.NotEqual(Environment.CurrentManagedThreadId, counter.Thread);
        Assert.True(counter.Seen.First > 0);
        Assert.Equal(0, counter.Seen.Last - counter.Seen.First);

        void Run(int commands)
        {
            for (var i = 0; i < commands; i += Depth)
            {
                for (var j = 0; j < Depth; j++)
                {
                    if (write)
                        initiator.SendWrite((i + j) % 64 * (long)size, data);
                    else
                        initiator.SendRead((i + j) % 64 * (long)size, size);
                }
                for (var j = 0; j < Depth; j++)
                    initiator.ReceiveUntilStatus(data);
            }
        }
    }
}
