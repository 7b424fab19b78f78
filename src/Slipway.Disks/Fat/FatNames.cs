using System.Buffers.Binary;
using System.Text;

namespace Slipway.Disks.Fat;

/// <summary>Writes names: the eleven bytes of §6.1 and the long-name records of §7.</summary>
internal static class FatNames
{
    private const string ShortPunctuation = "$%'-_@~`!(){}^#&";
    private const string NeverInNames = "\"*/:<>?\\|";

    /// <summary>The eleven bytes for a name, different from all in <paramref name="taken"/>, to which they are added (§7.4).</summary>
    public static string Shorten(string name, HashSet<string> taken)
    {
        if (name.Length is 0 or > 255 || name.Any(c => c < 32 || NeverInNames.Contains(c)) || name[^1] is '.' or ' ' || name is "." or "..")
            throw new ArgumentException($"'{name}' is not a name that FAT can hold", nameof(name));
        var dot = name.LastIndexOf('.');
        if (dot <= 0) dot = name.Length;
        var stem = Allowed(name[..dot]);
        var extension = dot < name.Length ? Allowed(name[(dot + 1)..]) : "";
        extension = extension[..Math.Min(3, extension.Length)];
        var plain = stem.PadRight(8) + extension.PadRight(3);
        if (stem.Length is > 0 and <= 8 && string.Equals(Spelled(plain), name, StringComparison.OrdinalIgnoreCase) && taken.Add(plain)) return plain;
        for (var number = 1; ; number++)
        {
            var tail = $"~{number}";
            var numbered = (stem[..Math.Min(stem.Length, 8 - tail.Length)] + tail).PadRight(8) + extension.PadRight(3);
            if (taken.Add(numbered)) return numbered;
        }
    }

    /// <summary>How many long-name records a name needs: none where the short name says it all.</summary>
    public static int LongRecords(FatNode node) => Spelled(node.ShortName) == node.Name ? 0 : (node.Name.Length + 12) / 13;

    /// <summary>The long-name records, last part first.</summary>
    public static void WriteLong(FatNode node, Span<byte> destination)
    {
        var records = LongRecords(node);
        var checksum = FatDirectory.Checksum(Encoding.ASCII.GetBytes(node.ShortName));
        Span<byte> units = stackalloc byte[26];
        for (var index = records; index >= 1; index--)
        {
            var record = destination[..FatDirectory.RecordSize];
            destination = destination[FatDirectory.RecordSize..];
            record[0] = (byte)(index == records ? index | 0x40 : index);
            record[11] = 0x0F;
            record[13] = checksum;
            // §7.1: the name ends in a NUL where it does not fill its records, and FFFF fills the rest.
            units.Fill(0xFF);
            var part = node.Name.AsSpan((index - 1) * 13, Math.Min(13, node.Name.Length - (index - 1) * 13));
            Encoding.Unicode.GetBytes(part, units);
            if (part.Length < 13) BinaryPrimitives.WriteUInt16LittleEndian(units[(part.Length * 2)..], 0);
            units[..10].CopyTo(record[1..]);
            units[10..22].CopyTo(record[14..]);
            units[22..].CopyTo(record[28..]);
        }
    }

    private static string Spelled(string shortName)
    {
        var extension = shortName[8..].TrimEnd();
        return extension.Length == 0 ? shortName[..8].TrimEnd() : $"{shortName[..8].TrimEnd()}.{extension}";
    }

    private static string Allowed(string part) => string.Concat(part.Where(c => c is not (' ' or '.'))
        .Select(c => char.IsAsciiLetterOrDigit(c) || ShortPunctuation.Contains(c) ? char.ToUpperInvariant(c) : '_'));
}
