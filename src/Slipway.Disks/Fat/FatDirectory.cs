using System.Buffers.Binary;
using System.Text;

namespace Slipway.Disks.Fat;

/// <summary>
/// Reads a directory's 32-byte records (§6) and the long-name records before them (§7). A long name whose parts are out
/// of order or whose checksum differs is left out and the short name counts, as every system does it.
/// </summary>
internal static class FatDirectory
{
    public const int RecordSize = 32;
    private const byte ReadOnly = 0x01, Hidden = 0x02, System = 0x04, VolumeLabel = 0x08, Directory = 0x10;
    private const byte LongName = ReadOnly | Hidden | System | VolumeLabel;

    public readonly record struct Item(string Name, bool IsDirectory, uint Cluster, uint Length);

    public static List<Item> Parse(ReadOnlySpan<byte> bytes, out string? label)
    {
        label = null;
        var items = new List<Item>();
        var longName = new LongNameParts();
        for (; bytes.Length >= RecordSize && bytes[0] != 0; bytes = bytes[RecordSize..])
        {
            var record = bytes[..RecordSize];
            var attributes = record[11];
            if (record[0] == 0xE5) longName.Clear();
            else if ((attributes & 0x3F) == LongName) longName.Add(record);
            else if ((attributes & VolumeLabel) != 0)
            {
                label = Encoding.Latin1.GetString(record[..11]).TrimEnd();
                longName.Clear();
            }
            else
            {
                var name = longName.Take(Checksum(record[..11])) ?? ShortName(record);
                var cluster = (uint)BinaryPrimitives.ReadUInt16LittleEndian(record[20..]) << 16 | BinaryPrimitives.ReadUInt16LittleEndian(record[26..]);
                if (name is not ("." or ".."))
                    items.Add(new(name, (attributes & Directory) != 0, cluster, BinaryPrimitives.ReadUInt32LittleEndian(record[28..])));
            }
        }
        return items;
    }

    /// <summary>§7.2: ties a long name to its short one.</summary>
    public static byte Checksum(ReadOnlySpan<byte> shortName)
    {
        byte sum = 0;
        foreach (var b in shortName) sum = (byte)((sum >> 1 | sum << 7) + b);
        return sum;
    }

    private static string ShortName(ReadOnlySpan<byte> record)
    {
        // §6.1: 05 stands for a leading E5. Bits 3 and 4 of the byte at 12 are Windows NT's: base or extension in lower case.
        Span<byte> name = stackalloc byte[11];
        record[..11].CopyTo(name);
        if (name[0] == 0x05) name[0] = 0xE5;
        var stem = Encoding.Latin1.GetString(name[..8]).TrimEnd();
        var extension = Encoding.Latin1.GetString(name[8..]).TrimEnd();
        if ((record[12] & 0x08) != 0) stem = stem.ToLowerInvariant();
        if ((record[12] & 0x10) != 0) extension = extension.ToLowerInvariant();
        return extension.Length == 0 ? stem : $"{stem}.{extension}";
    }

    /// <summary>The parts of one long name as they come: last part first, thirteen UTF-16 units each.</summary>
    private ref struct LongNameParts
    {
        private string _name = "";
        private int _expected;
        private byte _checksum;

        public LongNameParts()
        {
        }

        public void Clear() => (_name, _expected) = ("", 0);

        public void Add(ReadOnlySpan<byte> record)
        {
            var order = record[0];
            var index = order & 0x3F;
            if ((order & 0x40) != 0) (_name, _expected, _checksum) = ("", index, record[13]);
            if (index == 0 || index > 20 || index != _expected || record[13] != _checksum)
            {
                Clear();
                return;
            }
            Span<byte> units = stackalloc byte[26];
            record.Slice(1, 10).CopyTo(units);
            record.Slice(14, 12).CopyTo(units[10..]);
            record.Slice(28, 4).CopyTo(units[22..]);
            var part = Encoding.Unicode.GetString(units);
            var end = part.IndexOf('\0', StringComparison.Ordinal);
            _name = (end < 0 ? part : part[..end]) + _name;
            _expected--;
            if (_expected == 0) _expected = -1;
        }

        public string? Take(byte checksum)
        {
            var name = _expected == -1 && _checksum == checksum && _name.Length > 0 ? _name : null;
            Clear();
            return name;
        }
    }
}
