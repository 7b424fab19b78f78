using Slipway.Disks;
using Slipway.Volumes.Qcow2;
using Slipway.Volumes.Qcow2.Checking;
using Slipway.Volumes.Raw;

namespace Slipway.Volumes;

/// <summary>Opens a disk that is kept in a file, whatever its format.</summary>
public static class Volume
{
    /// <summary>qcow2 by its magic number, raw otherwise. A backing file must lie in the same folder.</summary>
    /// <exception cref="IOException">Missing, in use, or damaged.</exception>
    public static async ValueTask<IBlockDevice> OpenAsync(string path, bool readOnly = false, CancellationToken cancellation = default)
    {
        if (Qcow2File.IsQcow2(path))
            return await Qcow2File.OpenAsync(path, Path.GetDirectoryName(Path.GetFullPath(path))!, !readOnly, cancellation);
        return RawFile.Open(path, readOnly);
    }

    /// <summary>Opens a disk, as it is while others use it, and looks for damage without reading its data (<see cref="Qcow2Inspection"/>).</summary>
    /// <param name="store">The folder that the images it stands on must lie in; its own where it is left out.</param>
    /// <returns>What is wrong; null where nothing is to be seen.</returns>
    /// <exception cref="IOException">It, or an image that it stands on, cannot be opened.</exception>
    public static async ValueTask<string?> FindFaultAsync(string path, string? store = null, CancellationToken cancellation = default)
    {
        if (Qcow2File.IsQcow2(path))
            return await Qcow2Inspection.FindFaultAsync(path, store ?? Path.GetDirectoryName(Path.GetFullPath(path))!, cancellation);
        var length = new FileInfo(path).Length;
        return length > 0 && length % 512 == 0 ? null : $"it has {length} bytes, which is no disk of whole sectors";
    }
}
