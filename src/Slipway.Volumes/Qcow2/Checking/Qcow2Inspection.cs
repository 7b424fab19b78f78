using System.Buffers.Binary;
using Slipway.Disks;
using Slipway.Volumes.Locking;
using Slipway.Volumes.Qcow2.Files;
using Slipway.Volumes.Qcow2.Headers;
using Slipway.Volumes.Qcow2.Tables;

namespace Slipway.Volumes.Qcow2.Checking;

/// <summary>
/// Looks for damage in an image's tables, and changes nothing: whether each entry leads into the file, and whether each cluster
/// is counted as often as it is used. Reads metadata only, 128 KiB for each GiB that is in use.
/// </summary>
public static class Qcow2Inspection
{
    /// <param name="store">As of <see cref="Qcow2File"/>; the images that it stands on are opened, and not looked through.</param>
    /// <returns>What is wrong; null where nothing is, or nothing can be said because somebody writes to it.</returns>
    /// <exception cref="IOException">The image, or one that it stands on, cannot be opened; the message says why.</exception>
    public static async ValueTask<string?> FindFaultAsync(string path, string store, CancellationToken cancellation = default)
    {
        string? fault;
        await using (var image = await Qcow2File.OpenAsync(path, store, ImageAccess.Look, cancellation))
        {
            if ((image.Header.Features & Qcow2Features.Corrupt) != 0)
                return "it is marked corrupt, and can only be read: `qemu-img check` says what is wrong with it";
            // Its counts are made anew when it is opened to be written, or somebody has it open now.
            if ((image.Header.Features & Qcow2Features.Dirty) != 0)
                return null;
            fault = await FindFaultAsync(path, image.Header, cancellation);
        }
        if (fault is null || FileUsers.By(path).Length > 0)
            return null;
        return fault;
    }

    private static async ValueTask<string?> FindFaultAsync(string path, Qcow2Header header, CancellationToken cancellation)
    {
        await using var file = ImageFile.Open(path, ImageAccess.Look);
        try
        {
            var references = await Qcow2References.CountAsync(file, header, await Qcow2Tables.ReadTableAsync(file, header.L1Offset, header.L1Entries, cancellation), cancellation);
            // Counts of other widths are read by nobody here.
            return header.RefcountOrder == 4 ? await CompareAsync(file, header, references, cancellation) : null;
        }
        catch (BlockDeviceException e) when (e.Error == BlockDeviceError.Corrupt)
        {
            return e.Message;
        }
    }

    // More than are used is space that is lost, not damage.
    private static async ValueTask<string?> CompareAsync(ImageFile file, Qcow2Header header, Qcow2References references, CancellationToken cancellation)
    {
        var table = await Qcow2Tables.ReadTableAsync(file, header.RefcountTableOffset, (header.RefcountTableClusters << header.ClusterBits) / 8, cancellation);
        var counts = new byte[header.ClusterSize];
        foreach (var block in references.Blocks.Order())
        {
            var offset = block < table.Length ? (long)table[block] : 0;
            if (offset < 0 || offset % header.ClusterSize != 0 || offset + header.ClusterSize > Math.Max(file.Length, header.ClusterSize))
                return $"the reference counts of block {block} are said to be at {offset}, which is no place for them";
            if (offset > 0)
                await file.ReadAsync(offset, counts, cancellation);
            else
                counts.AsSpan().Clear();
            var used = references.Of(block);
            for (var i = 0; i < used.Length; i++)
            {
                var counted = BinaryPrimitives.ReadUInt16BigEndian(counts.AsSpan(i * 2));
                if (used[i] > counted)
                    return $"the cluster at {((block * used.Length) + i) << header.ClusterBits} is used {used[i]} times, and counted {counted} times";
            }
        }
        return null;
    }
}
