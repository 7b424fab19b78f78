namespace Slipway.Demo.Packages;

/// <summary>One demo at a time in a folder that several share. The lock is gone when its holder is, however it ends.</summary>
internal sealed class FolderLock : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);
    private readonly FileStream _file;

    private FolderLock(FileStream file) => _file = file;

    public static async Task<FolderLock> TakeAsync(string folder, Action waiting, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        if (TryTake(folder) is { } first) return first;
        waiting();
        while (true)
        {
            await Task.Delay(Pause, cancellation);
            if (TryTake(folder) is { } taken) return taken;
        }
    }

    public static FolderLock? TryTake(string folder)
    {
        try
        {
            return new(new FileStream(Path.Combine(folder, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        // The framework tells a lock that another process holds from other trouble only by this code (EWOULDBLOCK).
        catch (IOException e) when (e.HResult == 11)
        {
            return null;
        }
    }

    public void Dispose() => _file.Dispose();
}
