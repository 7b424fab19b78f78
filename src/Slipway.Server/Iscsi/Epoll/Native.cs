using System.Numerics;
using System.Runtime.InteropServices;

namespace Slipway.Server.Iscsi.Epoll;

/// <summary>The system calls of an event loop: blittable, so that a call costs a call.</summary>
internal static unsafe partial class Native
{
    public const uint In = 0x1, Out = 0x4, Error = 0x8, HangUp = 0x10, ReadHangUp = 0x2000, EdgeTriggered = 1u << 31;   // epoll_ctl(2)
    public const int EINTR = 4, EAGAIN = 11;
    public const int DontWait = 0x40, NoSignal = 0x4000;    // send(2)
    private const int CloseOnExec = 0x80000, NonBlocking = 0x800, Add = 1;

    public static int CreateEpoll() => Checked(epoll_create1(CloseOnExec), nameof(epoll_create1));

    public static int CreateEvent() => Checked(eventfd(0, CloseOnExec | NonBlocking), nameof(eventfd));

    /// <summary>0, or an errno.</summary>
    public static int Watch(int epoll, int file, uint events)
    {
        var buffer = stackalloc byte[EpollEvent.Size];
        new EpollEvent(buffer).Set(events, file);
        return epoll_ctl(epoll, Add, file, buffer) == 0 ? 0 : Marshal.GetLastSystemError();
    }

    /// <summary>How many processors the calling thread may run on now; <see cref="Environment.ProcessorCount"/> is as of the start.</summary>
    public static int Processors()
    {
        const int size = 128;   // cpu_set_t, of sched_setaffinity(2): 1,024 processors
        var mask = stackalloc byte[size];
        if (sched_getaffinity(0, size, mask) != 0)
            return Environment.ProcessorCount;
        var count = 0;
        for (var i = 0; i < size; i++)
            count += BitOperations.PopCount(mask[i]);
        return count;
    }

    public static int Checked(int result, string call) =>
        result >= 0 ? result : throw new InvalidOperationException($"{call}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastSystemError())}");

    [LibraryImport("libc")]
    private static partial int epoll_create1(int flags);

    [LibraryImport("libc")]
    private static partial int epoll_ctl(int epoll, int operation, int file, byte* change);

    [LibraryImport("libc")]
    public static partial int epoll_wait(int epoll, byte* events, int count, int milliseconds);

    [LibraryImport("libc")]
    private static partial int eventfd(uint value, int flags);

    [LibraryImport("libc")]
    public static partial int sched_yield();

    [LibraryImport("libc")]
    public static partial nint read(int file, void* buffer, nuint count);

    [LibraryImport("libc")]
    public static partial nint write(int file, void* buffer, nuint count);

    [LibraryImport("libc")]
    public static partial int close(int file);

    [LibraryImport("libc")]
    private static partial int sched_getaffinity(int thread, nuint size, byte* mask);

    [LibraryImport("libc")]
    public static partial nint recv(int socket, void* buffer, nuint length, int flags);

    [LibraryImport("libc")]
    public static partial nint sendmsg(int socket, MessageHeader* message, int flags);
}

/// <summary>struct iovec, of readv(2).</summary>
internal unsafe struct IoVector
{
    public void* Base;
    public nuint Length;
}

/// <summary>struct msghdr, of sendmsg(2).</summary>
internal unsafe struct MessageHeader
{
    public void* Name;
    public uint NameLength;
    public IoVector* Vectors;
    public nuint VectorCount;
    public void* Control;
    public nuint ControlLength;
    public int Flags;
}

/// <summary>struct epoll_event where it lies. On x86-64 it is packed, elsewhere its second field is aligned.</summary>
internal readonly unsafe ref struct EpollEvent(byte* at)
{
    private static readonly int DataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;

    public static int Size => DataOffset + sizeof(ulong);

    public uint Events => *(uint*)at;

    public int File => *(int*)(at + DataOffset);

    public void Set(uint events, int file)
    {
        *(uint*)at = events;
        *(ulong*)(at + DataOffset) = (uint)file;
    }
}
