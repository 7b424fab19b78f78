using System.Buffers.Binary;

namespace Slipway.Disks.Partitions;

/// <summary>
/// Writes a fresh MBR partition table with one partition: for boards whose ROM reads its loader from where a GPT would be.
/// </summary>
public static class MbrWriter
{
    /// <summary>FAT16 or FAT32, by LBA. U-Boot and firmware look for boot files there, too.</summary>
    public const byte FatByLba = 0x0C;

    private const int SectorSize = 512;

    /// <param name="identity">The disk's signature, at 440.</param>
    public static ValueTask WriteAsync(IBlockDevice disk, uint identity, DiskRegion partition, byte type = FatByLba, CancellationToken cancellation = default)
    {
        if (partition.Start % SectorSize != 0 || partition.Length % SectorSize != 0 || partition.Start < SectorSize
            || (partition.Start + partition.Length) / SectorSize > uint.MaxValue)
            throw new ArgumentException("an MBR partition is on sectors after the first and before 2 TiB", nameof(partition));
        var table = new byte[SectorSize];
        BinaryPrimitives.WriteUInt32LittleEndian(table.AsSpan(440), identity);
        var entry = table.AsSpan(446, 16);
        // Active: some boards' U-Boot looks at no other. Cylinders, heads and sectors say "see the LBA fields".
        ReadOnlySpan<byte> start = [0x80, 0xFE, 0xFF, 0xFF, type, 0xFE, 0xFF, 0xFF];
        start.CopyTo(entry);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[8..], (uint)(partition.Start / SectorSize));
        BinaryPrimitives.WriteUInt32LittleEndian(entry[12..], (uint)(partition.Length / SectorSize));
        table[510] = 0x55;
        table[511] = 0xAA;
        return disk.WriteAsync(0, table, cancellation);
    }
}
