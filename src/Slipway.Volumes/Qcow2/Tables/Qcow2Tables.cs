using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Numerics;
using Slipway.Volumes.Qcow2.Files;
using Slipway.Volumes.Qcow2.Headers;
using Slipway.Volumes.Qcow2.Writing;

namespace Slipway.Volumes.Qcow2.Tables;

/// <summary>
/// The two levels of tables that find a cluster. The L1 table is in memory; L2 tables are kept as they are used. A table
/// is loaded and changed only by who holds the image's metadata lock, so that a load never overtakes a change; a lookup
/// in a kept table takes no lock. Changes are made in memory, and reach the file later (<see cref="Qcow2Commits"/>).
/// </summary>
internal sealed class Qcow2Tables(IImageFile file, Qcow2Header header, Qcow2Marks marks, ulong[] l1)
{
    private const int MostBytesKept = 2 * 1024 * 1024;
    private const int MostBytesChanged = 16 * 1024 * 1024;
    private readonly ConcurrentDictionary<int, L2Table> _kept = [];
    private readonly Queue<int> _order = [];
    private readonly Dictionary<int, int> _pinned = [];
    private readonly int _mostKept = Math.Max(4, MostBytesKept / 8 * header.L2EntrySize >> header.ClusterBits);
    private readonly int _indexBits = BitOperations.Log2((uint)header.L2Entries);

    public static async ValueTask<Qcow2Tables> ReadAsync(IImageFile file, Qcow2Header header, Qcow2Marks marks, CancellationToken cancellation)
    {
        var l1 = await ReadTableAsync(file, header.L1Offset, header.L1Entries, cancellation);
        return new(file, header, marks, l1);
    }

    /// <summary>So many tables have changes that are not in the file that those should be written soon.</summary>
    public bool ManyChanged => _pinned.Count > Math.Max(4, MostBytesChanged >> header.ClusterBits);

    public int L1IndexOf(long cluster) => (int)(cluster >> _indexBits);

    public bool HasTable(int l1Index) => (l1[l1Index] & Mapping.OffsetMask) != 0;

    public long TableOffset(int l1Index) => (long)(l1[l1Index] & Mapping.OffsetMask);

    public IEnumerable<long> TableOffsets => l1.Select(e => (long)(e & Mapping.OffsetMask)).Where(o => o != 0);

    /// <summary>The L2 table for a cluster if it is in memory; an absent one is an empty answer.</summary>
    public bool TryGet(int l1Index, out L2Table? table)
    {
        table = null;
        return !HasTable(l1Index) || _kept.TryGetValue(l1Index, out table);
    }

    /// <summary>Loads a table; the caller holds the metadata lock.</summary>
    public async ValueTask<L2Table> LoadAsync(int l1Index, CancellationToken cancellation)
    {
        if (_kept.TryGetValue(l1Index, out var table)) return table;
        var offset = TableOffset(l1Index);
        if (offset % header.ClusterSize != 0 || offset >= file.Length)
            throw await marks.CorruptAsync($"L1 entry {l1Index} leads to {offset}, which is no place for a table in the file's {file.Length} bytes");
        table = new(await ReadTableAsync(file, offset, header.ClusterSize / 8, cancellation), header);
        Keep(l1Index, table);
        return table;
    }

    /// <summary>The mapping of the (sub)cluster at a guest offset, and for how many bytes from there it holds at least.</summary>
    public Mapping Lookup(L2Table? table, long offset, out int length)
    {
        var within = (int)(offset & (header.ClusterSize - 1));
        length = header.ClusterSize - within;
        if (table is null) return default;
        var (descriptor, bitmap) = table[offset >> header.ClusterBits];
        if (!header.HasExtendedL2) return Mapping.Of(descriptor, header.ClusterBits, header.Version >= 3);

        var entry = L2Entry.Of(descriptor, bitmap, header);
        var mapping = entry.Cluster(header);
        if (mapping.Kind == MappingKind.Invalid || entry.IsCompressed) return mapping;
        var (kind, run) = entry.At(within / header.SubclusterSize);
        length = Math.Min(length, run * header.SubclusterSize - within % header.SubclusterSize);
        return mapping with { Kind = kind };
    }

    /// <summary>Changes an entry in memory; its table is kept until <see cref="Settle"/>. The caller holds the metadata lock.</summary>
    public async ValueTask SetAsync(Qcow2Change change, CancellationToken cancellation)
    {
        var l1Index = L1IndexOf(change);
        if (change.IsL1)
        {
            // A new table, empty.
            Pin(l1Index);
            Keep(l1Index, L2Table.Empty(header));
            Volatile.Write(ref l1[l1Index], change.Entry);
            return;
        }
        var table = await LoadAsync(l1Index, cancellation);
        Pin(l1Index);
        table[change.Index] = (change.Entry, change.Bitmap);
    }

    /// <summary>
    /// Writes changes into the tables of the file. What is in memory may be newer by then: only the changes are written.
    /// One caller at a time; without the metadata lock.
    /// </summary>
    public async ValueTask WriteAsync(IReadOnlyList<Qcow2Change> changes, CancellationToken cancellation)
    {
        foreach (var change in changes.Where(c => c.IsL1)) await WriteEntryAsync(header.L1Offset + change.Index * 8, change.Entry, cancellation);
        foreach (var ofTable in changes.Where(c => !c.IsL1).GroupBy(L1IndexOf)) await WriteTableAsync(TableOffset(ofTable.Key), [.. ofTable], cancellation);
    }

    /// <summary>Changes are in the file: their tables need not be kept for them any more. The caller holds the metadata lock.</summary>
    public void Settle(IReadOnlyList<Qcow2Change> changes)
    {
        foreach (var change in changes)
        {
            var l1Index = L1IndexOf(change);
            if (--_pinned[l1Index] == 0) _pinned.Remove(l1Index);
        }
    }

    private int L1IndexOf(Qcow2Change change) => change.IsL1 ? (int)change.Index : L1IndexOf(change.Index);

    private void Pin(int l1Index) => _pinned[l1Index] = _pinned.GetValueOrDefault(l1Index) + 1;

    private async ValueTask WriteTableAsync(long offset, Qcow2Change[] changes, CancellationToken cancellation)
    {
        const int Few = 16;
        if (changes.Length < Few)
        {
            foreach (var change in changes)
            {
                var entry = new byte[header.L2EntrySize];
                L2Table.Put(entry, change, header);
                await file.WriteAsync(offset + PlaceOf(change), entry, cancellation);
            }
            return;
        }
        var table = new byte[header.ClusterSize];
        await file.ReadAsync(offset, table, cancellation);
        foreach (var change in changes) L2Table.Put(table.AsSpan(PlaceOf(change)), change, header);
        await file.WriteAsync(offset, table, cancellation);
    }

    // In its table.
    private int PlaceOf(Qcow2Change change) => (int)(change.Index & ((1 << _indexBits) - 1)) * header.L2EntrySize;

    private ValueTask WriteEntryAsync(long offset, ulong entry, CancellationToken cancellation)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, entry);
        return file.WriteAsync(offset, bytes, cancellation);
    }

    private void Keep(int l1Index, L2Table table)
    {
        if (_kept.TryAdd(l1Index, table)) _order.Enqueue(l1Index);
        for (var tries = _order.Count; tries > 0 && _kept.Count > _mostKept && _order.TryDequeue(out var oldest); tries--)
        {
            if (_pinned.ContainsKey(oldest)) _order.Enqueue(oldest);
            else _kept.TryRemove(oldest, out _);
        }
    }

    internal static async ValueTask<ulong[]> ReadTableAsync(IImageFile file, long offset, int entries, CancellationToken cancellation)
    {
        var bytes = new byte[entries * 8];
        if (entries > 0) await file.ReadAsync(offset, bytes, cancellation);
        var table = new ulong[entries];
        for (var i = 0; i < entries; i++) table[i] = BinaryPrimitives.ReadUInt64BigEndian(bytes.AsSpan(i * 8));
        return table;
    }
}
