using System.Runtime.InteropServices;

namespace Slipway.Iscsi.Transfer;

/// <summary>
/// Buffers for payload, by powers of two from 4 KiB, kept for reuse last in, first out (the warm one first), up to a
/// number of bytes. They do not move in memory, so that the kernel can be handed their addresses.
/// </summary>
public sealed class BufferPool
{
    private const int SmallestShift = 12;
    private const int Classes = 14;
    private readonly Lock _gate = new();
    private readonly Stack<byte[]>[] _free = new Stack<byte[]>[Classes];
    private readonly long _keep;
    private long _kept;

    /// <param name="keep">How many bytes of free buffers stay; more goes back to the runtime.</param>
    public BufferPool(long keep)
    {
        _keep = keep;
        for (var i = 0; i < Classes; i++)
            _free[i] = new Stack<byte[]>();
    }

    public static int LargestBuffer => 1 << (SmallestShift + Classes - 1);

    /// <summary>A buffer of at least this many bytes; its content is what was there before.</summary>
    public byte[] Rent(int length)
    {
        var index = ClassOf(length);
        lock (_gate)
        {
            if (_free[index].TryPop(out var buffer))
            {
                _kept -= buffer.Length;
                return buffer;
            }
        }
        return Allocate(1 << (SmallestShift + index));
    }

    public void Return(byte[] buffer)
    {
        lock (_gate)
        {
            if (_kept + buffer.Length > _keep)
                return;
            _kept += buffer.Length;
            _free[ClassOf(buffer.Length)].Push(buffer);
        }
    }

    private static byte[] Allocate(int length)
    {
        byte[] buffer;
        do
            buffer = GC.AllocateUninitializedArray<byte>(length, pinned: true);
        while (IsSlowToFill(buffer));   // the next one begins elsewhere in its page, by the length of an array's header
        return buffer;
    }

    /// <summary>
    /// True less than 32 bytes behind the start of a page. There the kernel's copy from a whole page takes up to three times
    /// as long (measured on AMD Zen 4; likely since what is stored is taken for what is to be loaded next).
    /// </summary>
    private static bool IsSlowToFill(byte[] buffer) => (Marshal.UnsafeAddrOfPinnedArrayElement(buffer, 0) & 4095) is > 0 and < 32;

    private static int ClassOf(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, LargestBuffer);
        return Math.Max(0, 32 - SmallestShift - int.LeadingZeroCount(Math.Max(length, 1) - 1));
    }
}
