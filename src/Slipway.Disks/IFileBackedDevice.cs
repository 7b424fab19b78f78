using Microsoft.Win32.SafeHandles;

namespace Slipway.Disks;

/// <summary>
/// A disk whose bytes lie in a file as they are. A transport that can sends them from the host's page cache without
/// copying them, which for large reads costs half of what reading them does.
/// </summary>
public interface IFileBackedDevice
{
    /// <summary>
    /// Where a range lies, if it lies there in one piece and the page cache holds all of it. False: read it instead.
    /// Offset and length are in bytes, within the disk.
    /// </summary>
    /// <remarks>The bytes are those that the file has when they are sent: a write meanwhile may be seen in them.</remarks>
    bool TryFindCached(long offset, int length, out FileRange range);
}

/// <summary>A run of bytes in an open file, which whoever gave the range keeps open.</summary>
public readonly record struct FileRange(SafeFileHandle? File, long Offset, int Length)
{
    public FileRange Slice(int start, int length) => new(File, Offset + start, length);
}
