using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Slipway.Volumes.Raw;

/// <summary>Small files that are there whole after a kill or a power cut: either as before or as written.</summary>
public static partial class DurableFile
{
    /// <summary>Returns when the bytes are on the medium under this name.</summary>
    /// <exception cref="IOException">They are not; what was there before still is.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written.</exception>
    public static void Replace(string path, ReadOnlySpan<byte> content)
    {
        var whole = path + ".new";
        using (var file = File.OpenHandle(whole, FileMode.Create, FileAccess.Write))
        {
            RandomAccess.Write(file, content, 0);
            RandomAccess.FlushToDisk(file);
        }
        File.Move(whole, path, overwrite: true);
        FlushFolderOf(path);
    }

    /// <summary>Returns when no file has this name on the medium.</summary>
    /// <exception cref="IOException">It could not be deleted.</exception>
    public static void Delete(string path)
    {
        if (!File.Exists(path))
            return;
        File.Delete(path);
        FlushFolderOf(path);
    }

    /// <summary>Returns when the names in a file's folder are on the medium: .NET does not open folders.</summary>
    internal static void FlushFolderOf(string path)
    {
        if (!OperatingSystem.IsLinux())
            return;
        using var folder = LinuxFile.open(Path.GetDirectoryName(Path.GetFullPath(path))!, LinuxFile.CloseOnExec);
        if (folder.IsInvalid || fsync(folder) != 0)
            throw LastError(path);
    }

    private static IOException LastError(string path)
    {
        var error = new Win32Exception(Marshal.GetLastPInvokeError());
        return new($"the folder of {path} could not be flushed: {error.Message}", error);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(SafeFileHandle folder);
}
