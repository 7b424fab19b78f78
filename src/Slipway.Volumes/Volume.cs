using System.Buffers.Binary;
using Slipway.Disks;
using Slipway.Volumes.Qcow2;
using Slipway.Volumes.Raw;

namespace Slipway.Volumes;

/// <summary>Opens a disk that is kept in a file, whatever its format.</summary>
public static class Volume
{
    private const uint Qcow2Magic = 0x514649FB;

    /// <summary>qcow2 by its magic number, raw otherwise. A backing file must lie in the same folder.</summary>
    /// <exception cref="IOException">Missing, in use, or damaged.</exception>
    public static async ValueTask<IBlockDevice> OpenAsync(string path, bool readOnly = false, CancellationToken cancellation = default)
    {
        if (IsQcow2(path))
            return await Qcow2File.OpenAsync(path, Path.GetDirectoryName(Path.GetFullPath(path))!, !readOnly, cancellation);
        return RawFile.Open(path, readOnly);
    }

    private static bool IsQcow2(string path)
    {
        Span<byte> magic = stackalloc byte[4];
        using var file = File.OpenHandle(path, share: FileShare.ReadWrite);
        return RandomAccess.Read(file, magic, 0) == 4 && BinaryPrimitives.ReadUInt32BigEndian(magic) == Qcow2Magic;
    }
}
