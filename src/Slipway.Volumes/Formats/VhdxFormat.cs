using Slipway.Disks;

namespace Slipway.Volumes.Formats;

/// <summary>What reader and writer of VHDX share ([MS-VHDX], revision 7.0). Numbers are little-endian.</summary>
internal static class VhdxFormat
{
    public const int HeaderSize = 4096, TableSize = 65536;
    public const long FirstHeader = 65536, SecondHeader = 131072, FirstRegionTable = 196608, SecondRegionTable = 262144;
    public const int Megabyte = 1 << 20;
    public const int FullyPresent = 6;

    public static readonly Guid BlockTableRegion = new("2DC27766-F623-4200-9D64-115E9BFD4A08");
    public static readonly Guid MetadataRegion = new("8B7CA206-4790-4B9A-B8FE-575F050F886E");
    public static readonly Guid FileParameters = new("CAA16737-FA36-4D43-B3B6-33F0AA44E76B");
    public static readonly Guid DiskSize = new("2FA54224-CD1B-4876-B211-5DBED83BF4B8");
    public static readonly Guid DiskId = new("BECA12AB-B2E6-4523-93EF-C309E000C746");
    public static readonly Guid ParentLocator = new("A8D35F2D-B30B-454D-ABF7-D3D84834AB0C");
    public static readonly Guid LogicalSectorSize = new("8141BF1D-A96F-4709-BA47-F233A8FAAB5F");
    public static readonly Guid PhysicalSectorSize = new("CDA348C7-445D-4471-9CC9-E9885251C556");

    public static ReadOnlySpan<byte> FileSignature => "vhdxfile"u8;

    /// <summary>§2.5.1.1: after so many blocks the table has one entry for a sector bitmap.</summary>
    public static long ChunkRatio(int logicalSectorSize, int blockSize) => (1L << 23) * logicalSectorSize / blockSize;

    public static uint Checksum(ReadOnlySpan<byte> structure) => StructureChecksum.Of(structure, 4);
}
