using Slipway.Disks;

namespace Slipway.Tests;

/// <summary>Disks in memory to and from files, for tools that read files.</summary>
internal static class DiskFiles
{
    public static void Save(this MemoryDisk disk, string path)
    {
        using var file = File.Create(path);
        disk.CopyTo(file);
    }

    /// <summary>Takes no memory for what is zeroes.</summary>
    public static MemoryDisk Load(string path)
    {
        using var file = File.OpenRead(path);
        var disk = new MemoryDisk((file.Length + 511) / 512 * 512);
        var bytes = new byte[1 << 16];
        int count;
        for (long at = 0; (count = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)) > 0; at += count)
        {
            if (bytes.AsSpan(0, count).ContainsAnyExcept((byte)0)) disk.WriteAsync(at, bytes.AsMemory(0, count)).AsTask().GetAwaiter().GetResult();
        }
        return disk;
    }
}
