namespace Slipway.Disks.Fat;

/// <summary>The numbers of a fresh volume: type, cluster size and the size of the tables (§3.5).</summary>
internal sealed record FatLayout(int Bits, int SectorSize, int SectorsPerCluster, int Reserved, long FatSectors, int RootEntries, long Sectors, uint Clusters)
{
    public const int Fats = 2;

    public int ClusterSize => SectorSize * SectorsPerCluster;

    public long RootOffset => (Reserved + Fats * FatSectors) * SectorSize;

    public long DataOffset => RootOffset + RootEntries * 32;

    public static FatLayout Choose(DiskRegion region, int sectorSize, int bits)
    {
        if (sectorSize is not (512 or 4096)) throw new ArgumentOutOfRangeException(nameof(sectorSize), sectorSize, "sectors are 512 or 4096 bytes");
        if (bits == 0) bits = region.Length <= 64 << 20 ? 16 : 32;
        if (bits is not (16 or 32)) throw new ArgumentOutOfRangeException(nameof(bits), bits, "volumes are written as FAT16 or FAT32");
        for (var perCluster = 1; perCluster <= 128 && perCluster * sectorSize <= 32768; perCluster *= 2)
        {
            // FAT32: clusters of 4 KiB from 260 MiB on, as everyone formats.
            if (bits == 32 && region.Length > 260L << 20 && perCluster * sectorSize < 4096) continue;
            var layout = Compute(region.Length / sectorSize, sectorSize, bits, perCluster);
            // §3.5 tells the types apart by the count of clusters; some readers are off by a few, so stay 16 away.
            if (bits == 16 ? layout.Clusters is >= 4085 + 16 and < 65525 - 16 : layout.Clusters is >= 65525 + 16 and < 0x0FFFFFF5 - 16) return layout;
        }
        throw new ArgumentException($"{region.Length} bytes cannot be a FAT{bits} volume with sectors of {sectorSize}", nameof(region));
    }

    private static FatLayout Compute(long sectors, int sectorSize, int bits, int perCluster)
    {
        var reserved = bits == 32 ? 32 : 1;
        var rootEntries = bits == 32 ? 0 : 512;
        var rootSectors = rootEntries * 32 / sectorSize;
        long fatSectors = 1;
        while (true)
        {
            var clusters = (sectors - reserved - rootSectors - Fats * fatSectors) / perCluster;
            var needed = ((clusters + 2) * (bits / 8) + sectorSize - 1) / sectorSize;
            if (needed <= fatSectors) return new(bits, sectorSize, perCluster, reserved, fatSectors, rootEntries, sectors, (uint)Math.Max(0, clusters));
            fatSectors = needed;
        }
    }
}
