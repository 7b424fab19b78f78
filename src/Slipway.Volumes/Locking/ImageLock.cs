using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Slipway.Volumes.Qcow2.Files;

namespace Slipway.Volumes.Locking;

/// <summary>
/// QEMU's image locking (block/file-posix.c, "Image locking"), so that its tools and Slipway keep out of each other's
/// way: a lock on byte 100 + n says that somebody has permission n, one on byte 200 + n that somebody lets nobody else
/// have it. All are shared locks; a conflict is found by asking. The kernel drops them when the file is closed, however
/// the process ends.
/// </summary>
internal static partial class ImageLock
{
    private const int Has = 100, Denies = 200;
    private const int ConsistentRead = 0, Write = 1, Resize = 3;
    private const int GetLock = 36, SetLock = 37;           // F_OFD_GETLK, F_OFD_SETLK: fcntl(2)
    private const short ReadLock = 0, WriteLock = 1, Unlocked = 2;

    /// <summary>Opens a file with the lock that goes with what is done with it. Who gets it gives it back with <see cref="Drop"/>.</summary>
    /// <param name="make">What is made of it; an <see cref="IOException"/> of it gives the file back.</param>
    /// <exception cref="IOException">The file is missing, or somebody uses it; the message says who.</exception>
    public static T Open<T>(string path, FileMode mode, ImageAccess access, Func<SafeFileHandle, T> make)
    {
        var write = access == ImageAccess.Write;
        // Sharing is decided by QEMU's locks below: .NET's own would keep nobody out but .NET.
        var handle = File.OpenHandle(path, mode, write ? FileAccess.ReadWrite : FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            if (access != ImageAccess.Look) Take(handle, path, write);
            return make(handle);
        }
        catch (IOException)
        {
            Drop(handle);
            handle.Dispose();
            throw;
        }
    }

    /// <summary>A writer is alone; readers keep writers out, and one another not.</summary>
    /// <exception cref="IOException">Somebody uses the file; the message says who.</exception>
    private static void Take(SafeFileHandle file, string path, bool write)
    {
        if (!OperatingSystem.IsLinux()) return;
        int[] has = write ? [ConsistentRead, Write, Resize] : [ConsistentRead];
        int[] denies = [Write, Resize];
        foreach (var permission in has) Set(file, Has + permission);
        foreach (var permission in denies) Set(file, Denies + permission);
        if (has.Any(p => IsTaken(file, Denies + p)) || denies.Any(p => IsTaken(file, Has + p)))
            throw new IOException($"{Path.GetFileName(path)} is in use{FileUsers.By(path)} (slipway explain SLP2006)");
    }

    /// <summary>
    /// Lets others in. Closing the file does too, but only once nobody has it: a child process that has just been forked
    /// holds all files of this one until it begins its own program.
    /// </summary>
    public static void Drop(SafeFileHandle file)
    {
        if (!OperatingSystem.IsLinux()) return;
        var all = new FileLock { Type = Unlocked };
        _ = fcntl(file, SetLock, ref all);
    }

    // A file system without locks (some network ones) has none to honour, for QEMU's tools neither.
    private static void Set(SafeFileHandle file, int position)
    {
        var range = new FileLock { Type = ReadLock, Start = position, Length = 1 };
        _ = fcntl(file, SetLock, ref range);
    }

    private static bool IsTaken(SafeFileHandle file, int position)
    {
        var range = new FileLock { Type = WriteLock, Start = position, Length = 1 };
        return fcntl(file, GetLock, ref range) == 0 && range.Type != Unlocked;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(SafeFileHandle file, int command, ref FileLock range);

    // struct flock where off_t has 64 bits.
    [StructLayout(LayoutKind.Sequential)]
    private struct FileLock
    {
        public short Type;
        public short Whence;
        public long Start;
        public long Length;
        public int Process;
    }
}
