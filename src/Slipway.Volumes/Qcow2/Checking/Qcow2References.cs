using Slipway.Disks;
using Slipway.Volumes.Qcow2.Files;
using Slipway.Volumes.Qcow2.Headers;
using Slipway.Volumes.Qcow2.Tables;

namespace Slipway.Volumes.Qcow2.Checking;

/// <summary>
/// How many times each cluster of an image is used, counted by following the tables: what its reference counts should
/// say. Memory is two bytes for each cluster of a stretch that has any in use.
/// </summary>
internal sealed class Qcow2References(Qcow2Header header)
{
    private readonly Dictionary<long, ushort[]> _blocks = [];
    private readonly int _perBlock = header.ClusterSize / 2;

    /// <summary>The cluster behind the last one in use.</summary>
    public long End { get; private set; }

    /// <summary>The indexes of the refcount blocks that have something to count.</summary>
    public IEnumerable<long> Blocks => _blocks.Keys;

    /// <summary>Counts one use of each cluster that a range of the file touches.</summary>
    public void Add(long offset, long length)
    {
        if (length == 0) return;
        var last = (offset + length - 1) >> header.ClusterBits;
        for (var cluster = offset >> header.ClusterBits; cluster <= last; cluster++)
        {
            var (block, index) = Math.DivRem(cluster, _perBlock);
            if (!_blocks.TryGetValue(block, out var counts)) _blocks.Add(block, counts = new ushort[_perBlock]);
            if (counts[index] < ushort.MaxValue) counts[index]++;
        }
        End = Math.Max(End, last + 1);
    }

    /// <summary>Forgets the uses of the clusters that a range of the file touches.</summary>
    public void Remove(long offset, long length)
    {
        for (var cluster = offset >> header.ClusterBits; cluster <= (offset + length - 1) >> header.ClusterBits; cluster++)
        {
            if (_blocks.TryGetValue(cluster / _perBlock, out var counts)) counts[cluster % _perBlock]--;
        }
    }

    public int At(long offset)
    {
        var (block, index) = Math.DivRem(offset >> header.ClusterBits, _perBlock);
        return _blocks.TryGetValue(block, out var counts) ? counts[index] : 0;
    }

    /// <summary>The counts of one refcount block; empty where it has nothing to count.</summary>
    public ReadOnlySpan<ushort> Of(long block) => _blocks.GetValueOrDefault(block);

    /// <summary>Follows header, L1 table and L2 tables. What the refcounts themselves take is not counted.</summary>
    /// <exception cref="BlockDeviceException">An entry leads out of the file.</exception>
    public static async ValueTask<Qcow2References> CountAsync(IImageFile file, Qcow2Header header, ulong[] l1, CancellationToken cancellation)
    {
        var references = new Qcow2References(header);
        references.Add(0, header.ClusterSize);
        references.Add(header.L1Offset, header.L1Entries * 8L);
        for (var i = 0; i < l1.Length; i++)
        {
            var offset = (long)(l1[i] & Mapping.OffsetMask);
            if (offset == 0) continue;
            references.AddInside($"L1 entry {i}", offset, header.ClusterSize, aligned: true, file.Length);
            foreach (var (index, mapping) in Mappings(await Qcow2Tables.ReadTableAsync(file, offset, header.ClusterSize / 8, cancellation), header))
            {
                var packed = mapping.Kind == MappingKind.Compressed;
                references.AddInside($"L2 entry {index} of L1 entry {i}", mapping.HostOffset, packed ? mapping.CompressedLength : header.ClusterSize, !packed, file.Length);
            }
        }
        return references;
    }

    /// <summary>The entries of an L2 table that have something in the file.</summary>
    /// <exception cref="BlockDeviceException">An entry contradicts itself.</exception>
    public static IEnumerable<(int Index, Mapping Mapping)> Mappings(ulong[] table, Qcow2Header header)
    {
        var step = header.L2EntrySize / 8;
        for (var i = 0; i < table.Length; i += step)
        {
            if (table[i] == 0 && table[i + step - 1] == 0) continue;
            var mapping = L2Entry.Of(table[i], table[i + step - 1], header).Cluster(header);
            if (mapping.Kind == MappingKind.Invalid) throw new BlockDeviceException(BlockDeviceError.Corrupt, $"L2 entry {i / step} says of a subcluster both that it is there and that it is not");
            if (mapping.Kind == MappingKind.Compressed || mapping.HostOffset != 0) yield return (i / step, mapping);
        }
    }

    private void AddInside(string what, long offset, long length, bool aligned, long fileLength)
    {
        if (offset == 0 || offset > fileLength || (aligned && offset % header.ClusterSize != 0))
            throw new BlockDeviceException(BlockDeviceError.Corrupt, $"{what} leads to {offset}, which is no place for it in the file's {fileLength} bytes");
        Add(offset, length);
    }
}
