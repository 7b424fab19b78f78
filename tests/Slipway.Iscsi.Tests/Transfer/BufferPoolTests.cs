using System.Runtime.InteropServices;
using Slipway.Iscsi.Transfer;

namespace Slipway.Iscsi.Tests.Transfer;

public sealed class BufferPoolTests
{
    [Theory]
    [InlineData(4096)]
    [InlineData(131_072)]
    public void No_buffer_begins_just_behind_the_start_of_a_page(int length)
    {
        var pool = new BufferPool(keep: 0);
        // More than there are places in a page that an array's header moves the next one by.
        var places = Enumerable.Range(0, 600).Select(_ => Marshal.UnsafeAddrOfPinnedArrayElement(pool.Rent(length), 0) & 4095);
        Assert.DoesNotContain(places, place => place is > 0 and < 32);
    }

    [Fact]
    public void The_last_returned_is_the_next_lent()
    {
        var pool = new BufferPool(keep: 1 << 20);
        var (first, second) = (pool.Rent(5000), pool.Rent(8192));
        pool.Return(first);
        pool.Return(second);
        Assert.Same(second, pool.Rent(8000));
        Assert.Same(first, pool.Rent(4097));
    }
}
