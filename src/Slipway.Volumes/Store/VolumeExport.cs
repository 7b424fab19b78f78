using Slipway.Disks;
using Slipway.Volumes.Formats;
using Slipway.Volumes.Import;
using Slipway.Volumes.Qcow2;
using Slipway.Volumes.Qcow2.Files;

namespace Slipway.Volumes.Store;

/// <summary>Writes a disk to a file of its own, which stands on nothing.</summary>
internal static class VolumeExport
{
    private const int PieceBytes = 1 << 20;

    public static async ValueTask RunAsync(IBlockDevice disk, string path, string format, IProgress<ImportProgress>? progress, CancellationToken cancellation)
    {
        if (File.Exists(path)) throw new VolumeStoreException($"{path} is there already");
        if (!Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path)))) throw new VolumeStoreException($"there is no folder {Path.GetDirectoryName(Path.GetFullPath(path))}");
        var partial = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, $".{Path.GetFileName(path)}.{Guid.NewGuid():n}.partial");
        try
        {
            switch (format)
            {
                case "raw":
                    using (var raw = new SparseWriter(partial)) await raw.CopyAsync(disk, progress, cancellation);
                    break;
                case "qcow2":
                    await ToQcow2Async(disk, partial, progress, cancellation);
                    break;
                case "vhdx":
                    await using (var file = ImageFile.Create(partial)) await VhdxWriter.WriteAsync(disk, file, progress, cancellation);
                    break;
                default:
                    throw new VolumeStoreException($"{format} cannot be written; raw, qcow2 and vhdx can");
            }
            File.Move(partial, path, overwrite: false);
        }
        finally
        {
            File.Delete(partial);
        }
    }

    private static async ValueTask ToQcow2Async(IBlockDevice disk, string path, IProgress<ImportProgress>? progress, CancellationToken cancellation)
    {
        await Qcow2File.CreateAsync(path, disk.Length, cancellation: cancellation);
        await using var image = await Qcow2File.OpenAsync(path, Path.GetDirectoryName(path)!, writable: true, cancellation);
        var buffer = new byte[PieceBytes];
        for (var at = 0L; at < disk.Length; progress?.Report(new("copy", at, disk.Length)))
        {
            var extent = await disk.GetExtentAsync(at, cancellation);
            if (extent.Kind != ExtentKind.Data)
            {
                at += extent.Length;
                continue;
            }
            var piece = buffer.AsMemory(0, (int)Math.Min(extent.Length, PieceBytes - at % PieceBytes));
            await disk.ReadAsync(at, piece, cancellation);
            if (piece.Span.ContainsAnyExcept((byte)0)) await image.WriteAsync(at, piece, cancellation);
            at += piece.Length;
        }
        await image.FlushAsync(cancellation);
    }
}
