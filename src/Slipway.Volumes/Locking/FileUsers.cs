using System.Globalization;
using System.Text;

namespace Slipway.Volumes.Locking;

/// <summary>Which processes have a file open, as far as this one may look (<c>/proc/PID/fd</c>): who is in the way is part of a refusal.</summary>
internal static class FileUsers
{
    /// <summary>" by slipway (process 812)"; empty where nobody is found.</summary>
    public static string By(string path)
    {
        // A block device is mostly named by a link; /proc tells its own name.
        var users = Find(File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? Path.GetFullPath(path));
        return users.Count == 0 ? "" : " by " + string.Join(", ", users);
    }

    private static List<string> Find(string path)
    {
        var users = new List<string>();
        if (!OperatingSystem.IsLinux()) return users;
        foreach (var process in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(process), NumberStyles.None, CultureInfo.InvariantCulture, out var id)) continue;
            if (!HasOpen(process, path)) continue;
            users.Add(id == Environment.ProcessId ? "this process" : $"{NameOf(process)} (process {id})");
        }
        // Whoever asks has the file open too.
        if (users.Count > 1) users.Remove("this process");
        return users;
    }

    private static bool HasOpen(string process, string path)
    {
        try
        {
            foreach (var descriptor in Directory.EnumerateFiles(Path.Combine(process, "fd")))
            {
                if (new FileInfo(descriptor).LinkTarget == path) return true;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It ended meanwhile, or is somebody else's.
        }
        return false;
    }

    private static string NameOf(string process)
    {
        try
        {
            var arguments = Encoding.UTF8.GetString(File.ReadAllBytes(Path.Combine(process, "cmdline"))).Split('\0');
            return Path.GetFileName(arguments[0]);
        }
        catch (IOException)
        {
            return "a process that ended";
        }
    }
}
