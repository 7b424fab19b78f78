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

    public static MemoryDisk Load(string path) => new(File.ReadAllBytes(path));
}
