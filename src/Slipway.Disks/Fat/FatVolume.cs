using Slipway.Disks.FileSystems;

namespace Slipway.Disks.Fat;

/// <summary>A FAT12, FAT16 or FAT32 volume, to read, after Microsoft's FAT specification (2005). Names compare without case.</summary>
public sealed class FatVolume : IFileSystem
{
    /// <summary>§6: a directory has at most 65,536 records.</summary>
    private const int MostDirectoryBytes = 65536 * FatDirectory.RecordSize;

    private const ulong RootNode = 0;
    private readonly FatGeometry _geometry;
    private readonly FatTable _table;

    private FatVolume(DiskRegion region, FatGeometry geometry)
    {
        Region = region;
        _geometry = geometry;
        _table = new(region, geometry);
    }

    public string Kind => "vfat";

    /// <summary>12, 16 or 32.</summary>
    public int Bits => _geometry.Bits;

    public string Label { get; private set; } = "";

    public DiskRegion Region { get; }

    public FileEntry Root { get; } = new("", FileKind.Directory, 0, RootNode);

    /// <summary>Opens the volume in a region; null where there is none.</summary>
    public static async ValueTask<FatVolume?> TryOpenAsync(DiskRegion region, CancellationToken cancellation = default)
    {
        if (!region.Holds(0, 512)) return null;
        if (FatGeometry.Parse(await region.ReadAsync(0, 512, cancellation), region.Length) is not { } geometry) return null;
        var volume = new FatVolume(region, geometry);
        try
        {
            await volume.ListAsync(volume.Root, cancellation);
        }
        catch (DiskFormatException)
        {
            return null;
        }
        return volume;
    }

    public async ValueTask<IReadOnlyList<FileEntry>> ListAsync(FileEntry directory, CancellationToken cancellation = default)
    {
        if (directory.Kind != FileKind.Directory) return [];
        var isRoot = directory.Node == RootNode;
        var bytes = isRoot && _geometry.Bits != 32
            ? await Region.ReadAsync(_geometry.RootOffset, _geometry.RootEntries * FatDirectory.RecordSize, cancellation)
            : await DirectoryBytesAsync(isRoot ? _geometry.RootCluster : (uint)directory.Node, cancellation);
        var items = FatDirectory.Parse(bytes, out var label);
        if (isRoot && label is not null) Label = label;

        // A directory entry of cluster 0 would be the root again: damage, and a loop for who walks the tree.
        return [.. items.Where(i => !i.IsDirectory || i.Cluster != 0)
            .Select(i => new FileEntry(i.Name, i.IsDirectory ? FileKind.Directory : FileKind.File, i.IsDirectory ? 0 : i.Length, i.Cluster))];
    }

    public async ValueTask<FileEntry?> FindAsync(string path, CancellationToken cancellation = default)
    {
        var entry = Root;
        foreach (var name in path.Split('/', '\\').Where(n => n.Length > 0))
        {
            entry = (await ListAsync(entry, cancellation)).FirstOrDefault(e => string.Equals(e.Name, name, StringComparison.OrdinalIgnoreCase));
            if (entry is null) return null;
        }
        return entry;
    }

    public async ValueTask<IReadOnlyList<FileExtent>> GetExtentsAsync(FileEntry file, CancellationToken cancellation = default)
    {
        if (file.Kind == FileKind.Directory) return await DirectoryExtentsAsync(file, cancellation);
        if (file.Length == 0) return [];
        var runs = await _table.ChainAsync((uint)file.Node, (file.Length + _geometry.ClusterSize - 1) / _geometry.ClusterSize, cancellation);
        return Extents(runs, file.Length, file.Name);
    }

    private async ValueTask<IReadOnlyList<FileExtent>> DirectoryExtentsAsync(FileEntry directory, CancellationToken cancellation)
    {
        var isRoot = directory.Node == RootNode;
        if (isRoot && _geometry.Bits != 32) return [new(0, Region.Start + _geometry.RootOffset, _geometry.RootEntries * FatDirectory.RecordSize)];
        var runs = await _table.ChainAsync(isRoot ? _geometry.RootCluster : (uint)directory.Node, MostDirectoryBytes / _geometry.ClusterSize, cancellation);
        return Extents(runs, runs.Sum(r => (long)r.Count) * _geometry.ClusterSize, directory.Name);
    }

    private List<FileExtent> Extents(List<(uint First, uint Count)> runs, long length, string name)
    {
        var extents = new List<FileExtent>(runs.Count);
        long at = 0;
        foreach (var (first, count) in runs)
        {
            var size = Math.Min((long)count * _geometry.ClusterSize, length - at);
            extents.Add(new(at, Region.Start + _geometry.ClusterOffset(first), size));
            at += size;
        }
        if (at < length) throw new DiskFormatException($"FAT: {name} is {length} bytes long, but its clusters hold {at}");
        return extents;
    }

    private async ValueTask<byte[]> DirectoryBytesAsync(uint cluster, CancellationToken cancellation)
    {
        var runs = await _table.ChainAsync(cluster, Math.Max(1, MostDirectoryBytes / _geometry.ClusterSize), cancellation);
        var bytes = new byte[runs.Sum(r => (long)r.Count) * _geometry.ClusterSize];
        var at = 0;
        foreach (var (first, count) in runs)
        {
            var size = (int)count * _geometry.ClusterSize;
            await Region.ReadAsync(_geometry.ClusterOffset(first), bytes.AsMemory(at, size), cancellation);
            at += size;
        }
        return bytes;
    }
}
