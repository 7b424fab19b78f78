using System.Buffers.Binary;

namespace Slipway.Disks.Fat;

/// <summary>
/// Where things are on a FAT volume, from its boot sector (Microsoft's FAT specification, §3). The type follows from the
/// count of clusters alone (§3.5), never from the text in the boot sector.
/// </summary>
internal sealed record FatGeometry(
    int Bits, int SectorSize, int ClusterSize, long FatOffset, long FatLength, long RootOffset, int RootEntries, uint RootCluster,
    long DataOffset, uint ClusterCount)
{
    public uint EndOfChain => Bits switch { 12 => 0xFF8, 16 => 0xFFF8, _ => 0x0FFFFFF8 };

    public long ClusterOffset(uint cluster) => DataOffset + (cluster - 2L) * ClusterSize;

    public bool IsCluster(uint cluster) => cluster >= 2 && cluster < ClusterCount + 2;

    /// <summary>Null where the sector is not a FAT boot sector, or one that contradicts itself or the region.</summary>
    public static FatGeometry? Parse(ReadOnlySpan<byte> boot, long regionLength)
    {
        // §3.1: a jump, and the signature at 510 whatever the sector size.
        if (boot[0] is not (0xEB or 0xE9) || boot[510] != 0x55 || boot[511] != 0xAA) return null;
        int sectorSize = BinaryPrimitives.ReadUInt16LittleEndian(boot[11..]);
        if (sectorSize is not (512 or 1024 or 2048 or 4096)) return null;
        int perCluster = boot[13];
        if (perCluster == 0 || (perCluster & (perCluster - 1)) != 0) return null;
        int reserved = BinaryPrimitives.ReadUInt16LittleEndian(boot[14..]);
        int fats = boot[16];
        int rootEntries = BinaryPrimitives.ReadUInt16LittleEndian(boot[17..]);
        long sectors = BinaryPrimitives.ReadUInt16LittleEndian(boot[19..]);
        if (sectors == 0) sectors = BinaryPrimitives.ReadUInt32LittleEndian(boot[32..]);
        long fatSectors = BinaryPrimitives.ReadUInt16LittleEndian(boot[22..]);
        var wide = fatSectors == 0;
        if (wide) fatSectors = BinaryPrimitives.ReadUInt32LittleEndian(boot[36..]);
        if (reserved == 0 || fats is 0 or > 4 || fatSectors == 0 || boot[21] is not (0xF0 or >= 0xF8)) return null;
        if (sectors * sectorSize > regionLength) return null;

        var rootSectors = (rootEntries * 32 + sectorSize - 1) / sectorSize;
        var dataSector = reserved + fats * fatSectors + rootSectors;
        var clusters = (sectors - dataSector) / perCluster;
        if (clusters <= 0 || clusters > 0x0FFFFFF5) return null;
        var bits = clusters < 4085 ? 12 : clusters < 65525 ? 16 : 32;
        if (wide != (bits == 32) && wide) return null;
        if (fatSectors * sectorSize * 8L / bits < clusters + 2) return null;
        var rootCluster = bits == 32 ? BinaryPrimitives.ReadUInt32LittleEndian(boot[44..]) : 0;
        return new(bits, sectorSize, perCluster * sectorSize, (long)reserved * sectorSize, fatSectors * sectorSize,
            (reserved + fats * fatSectors) * sectorSize, bits == 32 ? 0 : rootEntries, rootCluster, dataSector * sectorSize, (uint)clusters);
    }
}
