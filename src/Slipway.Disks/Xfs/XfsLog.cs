using System.Buffers.Binary;

namespace Slipway.Disks.Xfs;

/// <summary>
/// Tells whether the log was emptied by an unmount; it is not replayed (XFS Algorithms &amp; Data Structures, "Journaling
/// Log"; Linux, fs/xfs/libxfs/xfs_log_format.h, struct xlog_rec_header). It is a ring of sectors of 512 bytes. Each
/// sector begins with the number of the round that wrote it, or with a record's header, which has it next: the last
/// record ends where the number changes, and an unmount's holds one operation that says so.
/// </summary>
internal static class XfsLog
{
    private const int SectorSize = 512;
    private const uint HeaderMagic = 0xFEEDBABE;
    private const int MostRecordSectors = 256 * 1024 / SectorSize + 8, HeaderCoversBytes = 32 * 1024;
    private const byte Unmount = 0x20;

    /// <summary>False, too, where the log is on another disk.</summary>
    public static async ValueTask<bool> IsDirtyAsync(XfsBlocks blocks, DiskRegion region, CancellationToken cancellation)
    {
        var superblock = blocks.Superblock;
        if (superblock.LogStart == 0 || superblock.LogBlocks == 0) return false;
        var start = blocks.DiskOffset(superblock.LogStart, superblock.LogBlocks) - region.Start;
        var count = superblock.LogBlocks * superblock.BlockSize / SectorSize;
        var head = await HeadAsync();
        for (var back = 1; back <= Math.Min(MostRecordSectors, count); back++)
        {
            var at = (head - back + count) % count;
            var header = await SectorAsync(at);
            if (U32(header, 0) != HeaderMagic) continue;
            var (length, operations, size) = (U32(header, 12), U32(header, 40), U32(header, 320));
            var data = at + Math.Max(1, (size + HeaderCoversBytes - 1L) / HeaderCoversBytes);
            var end = data + (length + SectorSize - 1L) / SectorSize;
            return end % count != head % count || operations != 1 || ((await SectorAsync(data % count))[9] & Unmount) == 0;
        }
        return true;

        async ValueTask<long> HeadAsync()
        {
            var round = await RoundAsync(0);
            var (same, other) = (0L, count);
            while (other - same > 1)
            {
                var middle = (same + other) / 2;
                if (await RoundAsync(middle) == round) same = middle;
                else other = middle;
            }
            return other;
        }

        async ValueTask<uint> RoundAsync(long sector)
        {
            var bytes = await SectorAsync(sector);
            return U32(bytes, U32(bytes, 0) == HeaderMagic ? 4 : 0);
        }

        ValueTask<byte[]> SectorAsync(long sector) => region.ReadAsync(start + sector * SectorSize, SectorSize, cancellation);
    }

    private static uint U32(byte[] bytes, int at) => BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(at));
}
