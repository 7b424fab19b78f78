using System.Text;
using Slipway.Disks.FileSystems;

namespace Slipway.Disks.Iso;

/// <summary>
/// An ISO 9660 volume (ECMA-119), to read. Names are Rock Ridge's where the volume has them, Joliet's otherwise, and plain
/// ones as Linux shows them if there is neither. A node is where its directory record lies, in bytes from the region's start.
/// </summary>
public sealed class IsoVolume : IFileSystem
{
    internal const int SectorSize = 2048;
    private const int FirstDescriptor = 16, MostDescriptors = 64;
    private const int MostDirectoryBytes = 64 << 20, MostSections = 4096;
    private readonly IsoNaming _naming;
    private readonly int _skip;

    private IsoVolume(DiskRegion region, string label, long root, IsoNaming naming, int skip)
    {
        (Region, Label, _naming, _skip) = (region, label, naming, skip);
        Root = new("", FileKind.Directory, 0, (ulong)root);
    }

    public string Kind => "iso9660";

    public string Label { get; }

    public DiskRegion Region { get; }

    public FileEntry Root { get; }

    /// <summary>Opens the volume in a region; null where there is none, or one whose blocks are not of 2,048 bytes.</summary>
    public static async ValueTask<IsoVolume?> TryOpenAsync(DiskRegion region, CancellationToken cancellation = default)
    {
        (long Place, byte[] Sector)? primary = null, joliet = null;
        for (var i = 0; i < MostDescriptors; i++)
        {
            var place = (long)(FirstDescriptor + i) * SectorSize;
            if (!region.Holds(place, SectorSize)) break;
            var sector = await region.ReadAsync(place, SectorSize, cancellation);
            if (!IsoRecord.IsDescriptor(sector)) break;
            if (sector[0] == IsoRecord.Terminator) break;
            if (sector[0] == IsoRecord.Primary) primary ??= (place, sector);
            if (sector[0] == IsoRecord.Supplementary && IsoRecord.IsJoliet(sector)) joliet ??= (place, sector);
        }
        if (primary is not { } found || IsoRecord.BlockSizeOf(found.Sector) != SectorSize) return null;
        var label = Encoding.ASCII.GetString(found.Sector, 40, 32).TrimEnd();
        var plain = new IsoVolume(region, label, found.Place + IsoRecord.RootInDescriptor, IsoNaming.Plain, 0);
        if (await plain.RockRidgeSkipAsync(cancellation) is { } skip)
            return new(region, label, found.Place + IsoRecord.RootInDescriptor, IsoNaming.RockRidge, skip);
        return joliet is { } other ? new(region, label, other.Place + IsoRecord.RootInDescriptor, IsoNaming.Joliet, 0) : plain;
    }

    public async ValueTask<IReadOnlyList<FileEntry>> ListAsync(FileEntry directory, CancellationToken cancellation = default)
    {
        if (directory.Kind != FileKind.Directory) return [];
        var entries = new List<FileEntry>();
        var (length, isRest) = (0L, false);
        FileEntry? first = null;
        await foreach (var record in RecordsAsync(directory, cancellation))
        {
            // A file of several sections has a record for each, one behind the other; the first one names it.
            first = isRest ? first : await EntryAsync(record, cancellation);
            length = (isRest ? length : 0) + record.Length;
            isRest = record.HasMore;
            if (isRest || first is null) continue;
            entries.Add(first.Kind == FileKind.File ? first with { Length = length } : first);
        }
        return entries;
    }

    public ValueTask<FileEntry?> FindAsync(string path, CancellationToken cancellation = default) => PathWalk.FindAsync(this, path, TargetAsync, cancellation);

    public async ValueTask<IReadOnlyList<FileExtent>> GetExtentsAsync(FileEntry file, CancellationToken cancellation = default)
    {
        if (file.Kind is FileKind.SymbolicLink or FileKind.Other) return [];
        var extents = new List<FileExtent>();
        var (place, at) = ((long)file.Node, 0L);
        while (true)
        {
            var record = await RecordAsync(place, cancellation);
            if (!Region.Holds(record.Place, record.Length)) throw new DiskFormatException($"iso9660: {file.Name} has {record.Length} bytes at {record.Place}, outside of the volume");
            if (record.Length > 0) extents.Add(new(at, Region.Start + record.Place, record.Length));
            at += record.Length;
            if (!record.HasMore) return extents;
            if (extents.Count > MostSections) throw new DiskFormatException($"iso9660: {file.Name} has more than {MostSections} sections");
            place = await NextAsync(record, cancellation);
        }
    }

    private async IAsyncEnumerable<IsoRecord> RecordsAsync(FileEntry directory, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        var bytes = 0L;
        foreach (var extent in await GetExtentsAsync(directory, cancellation))
        {
            if ((bytes += extent.Length) > MostDirectoryBytes) throw new DiskFormatException($"iso9660: the directory {directory.Name} is larger than {MostDirectoryBytes} bytes");
            for (var sector = 0L; sector < extent.Length; sector += SectorSize)
            {
                var place = extent.DiskOffset - Region.Start + sector;
                var content = await Region.ReadAsync(place, SectorSize, cancellation);
                for (var at = 0; at < SectorSize && content[at] != 0;)
                {
                    var record = IsoRecord.Parse(content.AsMemory(at), place + at);
                    yield return record;
                    at += record.RecordLength;
                }
            }
        }
    }

    private async ValueTask<FileEntry?> EntryAsync(IsoRecord record, CancellationToken cancellation)
    {
        if (record.IsSelfOrParent) return null;
        var kind = record.IsDirectory ? FileKind.Directory : FileKind.File;
        if (_naming != IsoNaming.RockRidge) return new(record.Name(_naming), kind, record.IsDirectory ? 0 : record.Length, (ulong)record.At);
        var more = await RockRidge.ReadAsync(Region, record.SystemUse(_skip), cancellation);
        if (more.IsRelocated) return null;
        // A directory that was moved up, so as not to lie too deep, is found by the record that it has of itself.
        if (more.MovedTo is { } block) return new(more.Name ?? record.Name(IsoNaming.Plain), FileKind.Directory, 0, (ulong)block * SectorSize);
        kind = more.Link is not null ? FileKind.SymbolicLink : more.IsSpecial ? FileKind.Other : kind;
        var length = kind switch { FileKind.SymbolicLink => more.Link!.Length, FileKind.File => record.Length, _ => 0 };
        return new(more.Name ?? record.Name(IsoNaming.Plain), kind, length, (ulong)record.At);
    }

    private async ValueTask<string> TargetAsync(FileEntry link, CancellationToken cancellation) =>
        (await RockRidge.ReadAsync(Region, (await RecordAsync((long)link.Node, cancellation)).SystemUse(_skip), cancellation)).Link ?? "";

    private async ValueTask<IsoRecord> RecordAsync(long place, CancellationToken cancellation)
    {
        var inSector = (int)(SectorSize - place % SectorSize);
        return IsoRecord.Parse(await Region.ReadAsync(place, inSector, cancellation), place);
    }

    // Records do not cross sectors; what is left of one is zero.
    private async ValueTask<long> NextAsync(IsoRecord record, CancellationToken cancellation)
    {
        var next = record.At + record.RecordLength;
        var sectorEnd = (record.At / SectorSize + 1) * SectorSize;
        return next >= sectorEnd || (await Region.ReadAsync(next, 1, cancellation))[0] == 0 ? sectorEnd : next;
    }

    // The record that the root has of itself begins with the indicator of the Sharing Protocol (SUSP §5.3).
    private async ValueTask<int?> RockRidgeSkipAsync(CancellationToken cancellation)
    {
        var root = await RecordAsync((long)Root.Node, cancellation);
        return Region.Holds(root.Place, SectorSize) ? RockRidge.SkipOf((await RecordAsync(root.Place, cancellation)).SystemUse(0).Span) : null;
    }
}
