using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Slipway.Disks;
using Slipway.Volumes.Qcow2.Files;
using Slipway.Volumes.Qcow2.Headers;
using Slipway.Volumes.Qcow2.Tables;

namespace Slipway.Volumes.Qcow2.Checking;

/// <summary>
/// What the dirty bit asks for, as QEMU does it when it opens such an image: count every use of every cluster, and write
/// the reference counts anew where they differ. Clusters that were counted and are not used are free then.
/// </summary>
/// <remarks>
/// The tables are trusted, the counts are not. A cut at any point leaves the image dirty, and the next open begins again.
/// What no count explains (a cluster used twice) is corruption: the image is marked, and nothing is changed.
/// </remarks>
internal sealed class Qcow2Repair
{
    private readonly IImageFile _file;
    private readonly Qcow2Header _header;
    private readonly Qcow2References _references;
    private readonly int _perBlock;

    private Qcow2Repair(IImageFile file, Qcow2Header header, Qcow2References references) =>
        (_file, _header, _references, _perBlock) = (file, header, references, header.ClusterSize / 2);

    /// <summary>Repairs a dirty image, and clears the mark.</summary>
    /// <returns>The header as it is then: the refcount table may have moved.</returns>
    /// <exception cref="DiskFormatException">The image is corrupt, and marked so.</exception>
    public static async ValueTask<Qcow2Header> RunAsync(IImageFile file, Qcow2Header header, Qcow2Marks marks, CancellationToken cancellation)
    {
        try
        {
            var l1 = await Qcow2Tables.ReadTableAsync(file, header.L1Offset, header.L1Entries, cancellation);
            var repair = new Qcow2Repair(file, header, await Qcow2References.CountAsync(file, header, l1, cancellation));
            await repair.CheckEntriesAsync(l1, cancellation);
            header = await repair.WriteCountsAsync(cancellation);
        }
        catch (BlockDeviceException e) when (e.Error == BlockDeviceError.Corrupt)
        {
            _ = await marks.CorruptAsync(e.Message);
            throw new DiskFormatException($"qcow2: the image was not closed, and counting its clusters anew shows that it is corrupt: {e.Message}. It can be read; `qemu-img check -r all` makes it writable, and may lose data");
        }
        await file.FlushAsync(cancellation);
        await marks.ClearDirtyAsync(cancellation);
        await file.FlushAsync(cancellation);
        return header;
    }

    /// <summary>Everything but compressed clusters is used once, and says so with the flag "copied".</summary>
    private async ValueTask CheckEntriesAsync(ulong[] l1, CancellationToken cancellation)
    {
        for (var at = 0L; at < Math.Max(1, _header.L1Entries * 8L); at += _header.ClusterSize) RequireOnce("the L1 table", _header.L1Offset + at);
        RequireOnce("the header", 0);
        for (var i = 0; i < l1.Length; i++)
        {
            var offset = (long)(l1[i] & Mapping.OffsetMask);
            if (offset == 0) continue;
            RequireOnce("an L2 table", offset);
            if ((l1[i] & Mapping.Copied) == 0) await WriteEntryAsync(_header.L1Offset + i * 8L, l1[i] | Mapping.Copied, cancellation);
            var table = await Qcow2Tables.ReadTableAsync(_file, offset, _header.ClusterSize / 8, cancellation);
            foreach (var (index, mapping) in Qcow2References.Mappings(table, _header))
            {
                if (mapping.Kind == MappingKind.Compressed) continue;
                RequireOnce("a cluster", mapping.HostOffset);
                var word = index * _header.L2EntrySize / 8;
                if (!mapping.Exclusive) await WriteEntryAsync(offset + word * 8L, table[word] | Mapping.Copied, cancellation);
            }
        }
    }

    private void RequireOnce(string what, long offset)
    {
        if (_references.At(offset) is > 1 and var times) throw new BlockDeviceException(BlockDeviceError.Corrupt, $"{what} at {offset} is used {times} times");
    }

    private async ValueTask<Qcow2Header> WriteCountsAsync(CancellationToken cancellation)
    {
        var table = await Qcow2Tables.ReadTableAsync(_file, _header.RefcountTableOffset, (_header.RefcountTableClusters << _header.ClusterBits) / 8, cancellation);
        if (!AddRefcounts(table)) return await RebuildAsync(cancellation);
        for (var i = 0; i < table.Length; i++)
        {
            if (table[i] != 0) await WriteBlockAsync((long)table[i], i, cancellation);
        }
        return _header;
    }

    /// <summary>Counts what the refcounts themselves take; false, with nothing counted, where they cannot hold all counts or lie where something else does.</summary>
    private bool AddRefcounts(ulong[] table)
    {
        var added = new List<(long Offset, long Length)>();
        var sound = TryAdd(_header.RefcountTableOffset, table.Length * 8L);
        for (var i = 0; sound && i < table.Length; i++)
            sound = table[i] == 0 || (table[i] < (ulong)_file.Length && table[i] % (ulong)_header.ClusterSize == 0 && TryAdd((long)table[i], _header.ClusterSize));
        sound = sound && _references.Blocks.All(block => block < table.Length && table[block] != 0);
        if (!sound) added.ForEach(range => _references.Remove(range.Offset, range.Length));
        return sound;

        bool TryAdd(long offset, long length)
        {
            for (var at = offset; at < offset + length; at += _header.ClusterSize)
            {
                if (_references.At(at) > 0) return false;
                _references.Add(at, 1);
                added.Add((at, 1));
            }
            return true;
        }
    }

    /// <summary>A new table and new blocks behind everything else; the header leads to them once they are on the medium.</summary>
    private async ValueTask<Qcow2Header> RebuildAsync(CancellationToken cancellation)
    {
        var first = Math.Max(_references.End, (_file.Length + _header.ClusterSize - 1) >> _header.ClusterBits);
        var perTable = _header.ClusterSize / 8;
        var (tableClusters, blocks) = (1L, _references.Blocks.ToHashSet());
        // What counts has to be counted as well: until it no longer grows.
        for (var size = 0L; size != tableClusters + blocks.Count;)
        {
            size = tableClusters + blocks.Count;
            for (var block = first / _perBlock; block <= (first + size - 1) / _perBlock; block++) blocks.Add(block);
            tableClusters = blocks.Max() / perTable + 1;
        }
        var offset = first << _header.ClusterBits;
        if (tableClusters << _header.ClusterBits > Qcow2Header.MostTableBytes)
            throw new BlockDeviceException(BlockDeviceError.Corrupt, $"a cluster is used that no refcount table has room for, up to {offset}");
        _references.Add(offset, (tableClusters + blocks.Count) << _header.ClusterBits);
        var table = new byte[tableClusters << _header.ClusterBits];
        var at = offset + table.Length;
        foreach (var block in blocks)
        {
            await WriteBlockAsync(at, block, cancellation);
            BinaryPrimitives.WriteInt64BigEndian(table.AsSpan((int)block * 8), at);
            at += _header.ClusterSize;
        }
        await _file.WriteAsync(offset, table, cancellation);
        await _file.FlushAsync(cancellation);
        await WriteTablePlaceAsync(_file, offset, (int)tableClusters, cancellation);
        return _header with { RefcountTableOffset = offset, RefcountTableClusters = (int)tableClusters };
    }

    /// <summary>"refcount_table_offset" and "refcount_table_clusters": in one sector, so both change or neither does.</summary>
    internal static ValueTask WriteTablePlaceAsync(IImageFile file, long offset, int clusters, CancellationToken cancellation)
    {
        var place = new byte[12];
        BinaryPrimitives.WriteInt64BigEndian(place, offset);
        BinaryPrimitives.WriteInt32BigEndian(place.AsSpan(8), clusters);
        return file.WriteAsync(48, place, cancellation);
    }

    /// <summary>Writes a block of counts if it is not as it should be.</summary>
    private async ValueTask WriteBlockAsync(long offset, long block, CancellationToken cancellation)
    {
        var (should, stands) = (new byte[_header.ClusterSize], new byte[_header.ClusterSize]);
        Encode(_references.Of(block), should);
        await _file.ReadAsync(offset, stands, cancellation);
        if (!should.AsSpan().SequenceEqual(stands)) await _file.WriteAsync(offset, should, cancellation);
    }

    private static void Encode(ReadOnlySpan<ushort> counts, byte[] block)
    {
        if (BitConverter.IsLittleEndian) BinaryPrimitives.ReverseEndianness(counts, MemoryMarshal.Cast<byte, ushort>(block.AsSpan(0, counts.Length * 2)));
        else MemoryMarshal.AsBytes(counts).CopyTo(block);
    }

    private ValueTask WriteEntryAsync(long offset, ulong entry, CancellationToken cancellation)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, entry);
        return _file.WriteAsync(offset, bytes, cancellation);
    }
}
