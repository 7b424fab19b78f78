using Slipway.Volumes.Qcow2.Files;
using Slipway.Volumes.Qcow2.Headers;

namespace Slipway.Volumes.Qcow2.Tables;

/// <summary>Finds where the bytes of the disk are. What is in memory is found without a lock and without an allocation.</summary>
/// <param name="metadata">The image's metadata lock: a table is loaded under it.</param>
internal sealed class Qcow2Map(IImageFile file, Qcow2Header header, Qcow2Tables tables, Qcow2Marks marks, SemaphoreSlim metadata)
{
    public long HostOffset(Mapping mapping, long offset) => mapping.HostOffset + (offset & (header.ClusterSize - 1));

    /// <summary>The mapping at a place, if its table is in memory.</summary>
    public bool TryLookup(long offset, out Mapping mapping, out int length)
    {
        (mapping, length) = (default, 0);
        if (!tables.TryGet(tables.L1IndexOf(offset >> header.ClusterBits), out var table)) return false;
        mapping = tables.Lookup(table, offset, out length);
        return IsSound(mapping);
    }

    public async ValueTask<(Mapping Mapping, int Length)> LookupAsync(long offset, CancellationToken cancellation)
    {
        var mapping = tables.Lookup(await TableAsync(offset, cancellation), offset, out var length);
        await RequireSoundAsync(mapping, offset);
        return (mapping, length);
    }

    /// <summary>What the tables say of the cluster that a place is in.</summary>
    public async ValueTask<L2Entry> EntryAsync(long offset, CancellationToken cancellation)
    {
        if (await TableAsync(offset, cancellation) is not { } table) return default;
        var (descriptor, bitmap) = table[offset >> header.ClusterBits];
        var entry = L2Entry.Of(descriptor, bitmap, header);
        await RequireSoundAsync(entry.Cluster(header), offset);
        return entry;
    }

    /// <summary>
    /// What is at a place, and for how much of <paramref name="most"/> bytes from there one read of the file or of the
    /// backing image does. False where a table has to be loaded first, or is damaged.
    /// </summary>
    public bool TryRun(long offset, int most, out Mapping mapping, out int length)
    {
        length = 0;
        mapping = default;
        while (length < most)
        {
            if (!TryLookup(offset + length, out var next, out var more)) return length > 0;
            if (length == 0) mapping = next;
            else if (next.Kind != mapping.Kind || mapping.Kind == MappingKind.Compressed) return true;
            else if (next.Kind == MappingKind.Data && HostOffset(next, offset + length) != HostOffset(mapping, offset) + length) return true;
            length = (int)Math.Min(most, (long)length + more);
        }
        return true;
    }

    private async ValueTask<L2Table?> TableAsync(long offset, CancellationToken cancellation)
    {
        var l1Index = tables.L1IndexOf(offset >> header.ClusterBits);
        if (tables.TryGet(l1Index, out var table)) return table;
        await metadata.WaitAsync(cancellation);
        try
        {
            return await tables.LoadAsync(l1Index, cancellation);
        }
        finally
        {
            metadata.Release();
        }
    }

    private bool IsSound(Mapping mapping) => mapping.Kind switch
    {
        MappingKind.Data => (mapping.HostOffset & (header.ClusterSize - 1)) == 0 && mapping.HostOffset <= file.Length,
        MappingKind.Invalid => false,
        _ => true,
    };

    private async ValueTask RequireSoundAsync(Mapping mapping, long offset)
    {
        if (IsSound(mapping)) return;
        throw await marks.CorruptAsync(mapping.Kind == MappingKind.Invalid
            ? $"the entry of the cluster at {offset} of the disk contradicts itself"
            : $"the cluster at {mapping.HostOffset} is not aligned, or outside of the file");
    }
}
