using System.Buffers.Binary;
using Slipway.Disks.FileSystems;

namespace Slipway.Disks.Xfs;

/// <summary>
/// A symbolic link in blocks of version 5: each run of them begins with a header that is not part of the link (XFS
/// Algorithms &amp; Data Structures, "Symbolic Links"; Linux, fs/xfs/libxfs/xfs_format.h, struct xfs_dsymlink_hdr).
/// </summary>
internal static class XfsRemoteLink
{
    private const int HeaderLength = 56, Checksum = 12, Owner = 32;

    /// <summary>Where the link's own bytes are in its runs of blocks.</summary>
    public static List<FileExtent> Content(IReadOnlyList<FileExtent> runs, long length)
    {
        var content = new List<FileExtent>();
        long at = 0;
        foreach (var run in runs)
        {
            var part = Math.Min(run.Length - HeaderLength, length - at);
            if (part <= 0) break;
            content.Add(new(at, run.DiskOffset + HeaderLength, part));
            at += part;
        }
        return content;
    }

    /// <exception cref="DiskFormatException">The run is not the part of the link from <paramref name="at"/> on.</exception>
    public static void Verify(ReadOnlySpan<byte> run, XfsInode inode, long at, XfsBlocks blocks)
    {
        if (!run.StartsWith("XSLM"u8) || BinaryPrimitives.ReadUInt32BigEndian(run[4..]) != at)
            throw new DiskFormatException($"xfs: the symbolic link of inode {inode.Number} is not where it would be");
        blocks.Verify(run, "symbolic link", inode.Number, Checksum, Owner);
    }
}
