using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Slipway.Volumes.Raw;

internal enum ZeroResult
{
    Done,
    NoSpace,

    /// <summary>The system or the file system cannot: zeroes have to be written.</summary>
    NotSupported,
}

/// <summary>What .NET's file API lacks: reads that do not wait, holes, and where they are. Elsewhere than on Linux: "cannot".</summary>
internal static partial class LinuxFile
{
    private const int NoWait = 8;              // RWF_NOWAIT, preadv2(2)
    private const long Tmpfs = 0x01021994, Ramfs = 0x858458F6;     // statfs(2)
    private const int KeepSize = 1, PunchHole = 2, ZeroRange = 0x10;    // fallocate(2)
    private const uint BeginWrite = 2;          // SYNC_FILE_RANGE_WRITE, sync_file_range(2)
    private const int SeekEnd = 2, SeekData = 3, SeekHole = 4;       // lseek(2)
    internal const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800, Exclusive = 0x80;      // open(2), to read
    private const int ENOSPC = 28, ENXIO = 6, EBUSY = 16;
    private const int HResultNoSpace = unchecked((int)0x80070070);

    /// <summary>The host's boot: what is in the page cache stays there until another one. Empty where that is not known.</summary>
    public static Guid Boot { get; } = ReadBoot();

    /// <summary>True for a file system in memory: nothing there waits for a device, and it knows no <see cref="NoWait"/>.</summary>
    public static unsafe bool IsInMemory(SafeFileHandle file)
    {
        if (!OperatingSystem.IsLinux() || !Environment.Is64BitProcess)
            return false;
        // struct statfs, of statfs(2): the type comes first.
        var result = stackalloc long[64];
        return fstatfs(file, result) == 0 && result[0] is Tmpfs or Ramfs;
    }

    /// <summary>Reads what the page cache holds; how many bytes of it, from the start. 0 where it would have to wait.</summary>
    /// <param name="isInMemory">See <see cref="IsInMemory"/>.</param>
    public static unsafe int ReadCached(SafeFileHandle file, Span<byte> destination, long offset, bool isInMemory)
    {
        if (!OperatingSystem.IsLinux() || destination.IsEmpty)
            return 0;
        fixed (byte* start = destination)
        {
            var vector = new IoVector { Base = start, Length = (nuint)destination.Length };
            var held = false;
            try
            {
                file.DangerousAddRef(ref held);
                var number = (int)file.DangerousGetHandle();
                // Anything but bytes (EAGAIN, EOPNOTSUPP, EIO, the end of the file) is for the read that waits to find out.
                return (int)Math.Max(0, isInMemory
                    ? pread(number, start, (nuint)destination.Length, offset)
                    : preadv2(number, &vector, 1, offset, NoWait));
            }
            finally
            {
                if (held)
                    file.DangerousRelease();
            }
        }
    }

    public static ZeroResult Zero(SafeFileHandle file, long offset, long length, bool mayDiscard)
    {
        if (!OperatingSystem.IsLinux())
            return ZeroResult.NotSupported;
        if (fallocate(file, (mayDiscard ? PunchHole : ZeroRange) | KeepSize, offset, length) == 0)
            return ZeroResult.Done;
        return Marshal.GetLastPInvokeError() == ENOSPC ? ZeroResult.NoSpace : ZeroResult.NotSupported;
    }

    /// <summary>Lets the device begin with what was written: a flush later has less to wait for.</summary>
    public static void BeginWriteback(SafeFileHandle file, long offset, long length)
    {
        // What it says does not matter: the flush is what counts.
        if (OperatingSystem.IsLinux()) _ = sync_file_range(file, offset, length, BeginWrite);
    }

    /// <summary>
    /// Opens a file to read it, and does not wait for the writer of a pipe. A block device is held (O_EXCL, open(2)): nobody mounts
    /// it meanwhile. Null where somebody else holds it: a mount, a volume group, an array.
    /// </summary>
    public static SafeFileHandle? OpenSource(string path)
    {
        if (OperatingSystem.IsLinux())
        {
            var file = open(path, NonBlocking | CloseOnExec | Exclusive);
            if (!file.IsInvalid)
                return file;
            var error = Marshal.GetLastPInvokeError();
            file.Dispose();
            if (error == EBUSY)
                return null;
        }
        // Which says in its own words what else is wrong.
        return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
    }

    /// <summary>A file's length, or a block device's, of which fstat(2) says 0.</summary>
    public static long LengthOf(SafeFileHandle file)
    {
        var length = RandomAccess.GetLength(file);
        return length > 0 || !OperatingSystem.IsLinux() ? length : Math.Max(0, lseek(file, 0, SeekEnd));
    }

    /// <summary>Where the run that covers an offset ends, and whether it is data or a hole.</summary>
    public static (long End, bool IsData) FindExtent(SafeFileHandle file, long offset)
    {
        if (!OperatingSystem.IsLinux())
            return (long.MaxValue, true);
        var data = lseek(file, offset, SeekData);
        if (data < 0)
            return (long.MaxValue, Marshal.GetLastPInvokeError() != ENXIO);
        if (data > offset)
            return (data, false);
        var hole = lseek(file, offset, SeekHole);
        return (hole > offset ? hole : long.MaxValue, true);
    }

    private static Guid ReadBoot()
    {
        const string Path = "/proc/sys/kernel/random/boot_id";
        return File.Exists(Path) && Guid.TryParse(File.ReadAllText(Path), out var boot) ? boot : Guid.Empty;
    }

    public static bool IsNoSpace(IOException e) => e.HResult is HResultNoSpace or ENOSPC;

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial SafeFileHandle open(string path, int flags);

    [LibraryImport("libc")]
    private static unsafe partial nint pread(int file, void* destination, nuint length, long offset);

    [LibraryImport("libc")]
    private static unsafe partial nint preadv2(int file, IoVector* vectors, int count, long offset, int flags);

    [LibraryImport("libc")]
    private static unsafe partial int fstatfs(SafeFileHandle file, long* result);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fallocate(SafeFileHandle file, int mode, long offset, long length);

    [LibraryImport("libc")]
    private static partial int sync_file_range(SafeFileHandle file, long offset, long length, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial long lseek(SafeFileHandle file, long offset, int whence);

    private unsafe struct IoVector
    {
        public byte* Base;
        public nuint Length;
    }
}
