namespace Slipway.Volumes.Store;

/// <summary>A folder that is its owner's alone.</summary>
public static class PrivateFolder
{
    /// <summary>Makes it where it is not there; one that is stays as it is.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    public static void Create(string path)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
