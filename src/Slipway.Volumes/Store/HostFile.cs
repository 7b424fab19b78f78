using Slipway.Volumes.Raw;

namespace Slipway.Volumes.Store;

/// <summary>What a file takes on the host: the bytes that are stored, holes left out.</summary>
internal static class HostFile
{
    public static long BytesOf(string path)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var length = RandomAccess.GetLength(file);
        var bytes = 0L;
        for (var at = 0L; at < length;)
        {
            var (end, isData) = LinuxFile.FindExtent(file, at);
            end = Math.Min(end, length);
            if (isData) bytes += end - at;
            at = end;
        }
        return bytes;
    }
}
