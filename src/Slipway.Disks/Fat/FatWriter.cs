using System.Buffers.Binary;
using System.Text;

namespace Slipway.Disks.Fat;

/// <summary>Writes a fresh volume: gives every node its clusters in one run, then boot sector, tables, directories and files.</summary>
internal sealed class FatWriter(DiskRegion region, FatLayout layout)
{
    /// <summary>2020-01-01 00:00:00 in the format of §6.2: fixed, so that equal content is equal bytes.</summary>
    private const ushort Date = (2020 - 1980) << 9 | 1 << 5 | 1;

    private const byte Media = 0xF8;
    private readonly List<(uint First, uint Count)> _chains = [];
    private uint _next = 2;

    public async ValueTask WriteAsync(FatNode root, string label, uint volumeId, CancellationToken cancellation)
    {
        if (label.Length > 11 || !Ascii.IsValid(label)) throw new ArgumentException($"'{label}' is not a label of up to 11 ASCII characters", nameof(label));
        if (layout.Bits == 32) root.Cluster = Allocate(DirectoryLength(root, isRoot: true));
        Allocate(root);
        await WriteBootSectorAsync(root.Cluster, label, volumeId, cancellation);
        await WriteTablesAsync(cancellation);
        await WriteDirectoryAsync(root, null, label, cancellation);
    }

    private static long DirectoryLength(FatNode directory, bool isRoot) =>
        // The root holds the label, every other directory "." and "..".
        ((isRoot ? 1 : 2) + directory.Children.Sum(c => 1 + FatNames.LongRecords(c))) * (long)FatDirectory.RecordSize;

    private void Allocate(FatNode directory)
    {
        foreach (var node in directory.Children)
        {
            var length = node.Content?.Length ?? DirectoryLength(node, isRoot: false);
            node.Cluster = length == 0 ? 0 : Allocate(length);
            if (node.IsDirectory) Allocate(node);
        }
    }

    private uint Allocate(long length)
    {
        var count = (uint)((length + layout.ClusterSize - 1) / layout.ClusterSize);
        if (count > layout.Clusters + 2 - _next)
            throw new ArgumentException($"the files do not fit into {layout.Clusters} clusters of {layout.ClusterSize} bytes", nameof(length));
        var first = _next;
        _chains.Add((first, count));
        _next += count;
        return first;
    }

    private async ValueTask WriteBootSectorAsync(uint rootCluster, string label, uint volumeId, CancellationToken cancellation)
    {
        var wide = layout.Bits == 32;
        var sector = new byte[layout.SectorSize];
        ReadOnlySpan<byte> jump = [0xEB, wide ? (byte)0x58 : (byte)0x3C, 0x90];
        jump.CopyTo(sector);
        "SLIPWAY "u8.CopyTo(sector.AsSpan(3));
        Put16(sector, 11, layout.SectorSize);
        sector[13] = (byte)layout.SectorsPerCluster;
        Put16(sector, 14, layout.Reserved);
        sector[16] = FatLayout.Fats;
        Put16(sector, 17, layout.RootEntries);
        Put16(sector, 19, !wide && layout.Sectors < 65536 ? (int)layout.Sectors : 0);
        if (wide || layout.Sectors >= 65536) Put32(sector, 32, (uint)layout.Sectors);
        sector[21] = Media;
        Put16(sector, 22, wide ? 0 : (int)layout.FatSectors);
        Put16(sector, 24, 63);
        Put16(sector, 26, 255);
        Put32(sector, 28, (uint)(region.Start / layout.SectorSize));
        if (wide)
        {
            Put32(sector, 36, (uint)layout.FatSectors);
            Put32(sector, 44, rootCluster);
            Put16(sector, 48, 1);
            Put16(sector, 50, 6);
        }
        var extended = wide ? 64 : 36;
        sector[extended] = 0x80;
        sector[extended + 2] = 0x29;
        Put32(sector, extended + 3, volumeId);
        Encoding.ASCII.GetBytes(label.PadRight(11), sector.AsSpan(extended + 7));
        Encoding.ASCII.GetBytes(wide ? "FAT32   " : "FAT16   ", sector.AsSpan(extended + 18));
        sector[510] = 0x55;
        sector[511] = 0xAA;
        await PutAsync(0, sector, cancellation);
        if (!wide) return;

        // §5: FSInfo with the free count; sector 6 and 7 are the copies of both.
        var information = new byte[layout.SectorSize];
        Put32(information, 0, 0x41615252);
        Put32(information, 484, 0x61417272);
        Put32(information, 488, layout.Clusters + 2 - _next);
        Put32(information, 492, _next);
        Put32(information, 508, 0xAA550000);
        await PutAsync(layout.SectorSize, information, cancellation);
        await PutAsync(6L * layout.SectorSize, sector, cancellation);
        await PutAsync(7L * layout.SectorSize, information, cancellation);
    }

    private async ValueTask WriteTablesAsync(CancellationToken cancellation)
    {
        var width = layout.Bits / 8;
        var table = new byte[((long)_next * width + layout.SectorSize - 1) / layout.SectorSize * layout.SectorSize];
        // §4: entry 0 repeats the media byte, entry 1 says "cleanly unmounted, no errors".
        Entry(table, 0, layout.Bits == 32 ? 0x0FFFFF00u | Media : 0xFF00u | Media);
        Entry(table, 1, layout.Bits == 32 ? 0x0FFFFFFF : 0xFFFFu);
        foreach (var (first, count) in _chains)
        {
            for (uint i = 1; i < count; i++) Entry(table, first + i - 1, first + i);
            Entry(table, first + count - 1, layout.Bits == 32 ? 0x0FFFFFFF : 0xFFFFu);
        }
        for (var copy = 0; copy < FatLayout.Fats; copy++)
            await PutAsync((layout.Reserved + copy * layout.FatSectors) * layout.SectorSize, table, cancellation);
    }

    private void Entry(byte[] table, uint cluster, uint value)
    {
        if (layout.Bits == 32) Put32(table, (int)cluster * 4, value);
        else Put16(table, (int)cluster * 2, (int)value);
    }

    private async ValueTask WriteDirectoryAsync(FatNode directory, FatNode? parent, string? label, CancellationToken cancellation)
    {
        var length = DirectoryLength(directory, label is not null);
        if (directory.Cluster == 0 && length > layout.RootEntries * FatDirectory.RecordSize)
            throw new ArgumentException($"a FAT16 root directory has room for {layout.RootEntries} records", nameof(directory));
        var bytes = new byte[length];
        var at = 0;
        if (label is not null) Record(bytes, ref at, label.PadRight(11), 0x08, 0, 0);
        else
        {
            // §6.5: ".." of a directory in the root names cluster 0, even on FAT32.
            Record(bytes, ref at, ".".PadRight(11), 0x10, directory.Cluster, 0);
            Record(bytes, ref at, "..".PadRight(11), 0x10, parent is { Name.Length: > 0 } ? parent.Cluster : 0, 0);
        }
        foreach (var node in directory.Children)
        {
            var records = FatNames.LongRecords(node);
            FatNames.WriteLong(node, bytes.AsSpan(at, records * FatDirectory.RecordSize));
            at += records * FatDirectory.RecordSize;
            Record(bytes, ref at, node.ShortName, node.IsDirectory ? (byte)0x10 : (byte)0x20, node.Cluster, node.Content?.Length ?? 0);
            if (node.IsDirectory) await WriteDirectoryAsync(node, directory, null, cancellation);
            else if (node.Cluster != 0) await PutAsync(ClusterOffset(node.Cluster), node.Content!.Value, cancellation);
        }
        await PutAsync(directory.Cluster == 0 ? layout.RootOffset : ClusterOffset(directory.Cluster), bytes, cancellation);
    }

    private static void Record(byte[] directory, ref int at, string shortName, byte attributes, uint cluster, int length)
    {
        var record = directory.AsSpan(at, FatDirectory.RecordSize);
        at += FatDirectory.RecordSize;
        Encoding.ASCII.GetBytes(shortName, record);
        record[11] = attributes;
        foreach (var place in (ReadOnlySpan<int>)[16, 18, 24]) BinaryPrimitives.WriteUInt16LittleEndian(record[place..], Date);
        BinaryPrimitives.WriteUInt16LittleEndian(record[20..], (ushort)(cluster >> 16));
        BinaryPrimitives.WriteUInt16LittleEndian(record[26..], (ushort)cluster);
        BinaryPrimitives.WriteInt32LittleEndian(record[28..], length);
    }

    private long ClusterOffset(uint cluster) => layout.DataOffset + (cluster - 2L) * layout.ClusterSize;

    private ValueTask PutAsync(long offset, ReadOnlyMemory<byte> bytes, CancellationToken cancellation) =>
        region.Disk.WriteAsync(region.Start + offset, bytes, cancellation);

    private static void Put16(byte[] sector, int at, int value) => BinaryPrimitives.WriteUInt16LittleEndian(sector.AsSpan(at), (ushort)value);

    private static void Put32(byte[] sector, int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(sector.AsSpan(at), value);
}
