using System.Buffers.Binary;
using System.Text;

namespace Slipway.Volumes.Qcow2.Headers;

/// <summary>The header extensions of an image ("Header extensions"): type, length and place of each.</summary>
internal readonly ref struct Qcow2Extensions(ReadOnlySpan<byte> bytes, int headerLength)
{
    public const uint BackingFormat = 0xE2792ACA, FeatureNames = 0x6803F857, Bitmaps = 0x23852875;

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>The place of an extension's data within the header's bytes; empty where there is none.</summary>
    public Range Find(uint type)
    {
        foreach (var (found, place) in All())
        {
            if (found == type) return place;
        }
        return default;
    }

    public List<(uint Type, Range Place)> All()
    {
        var found = new List<(uint, Range)>();
        for (var at = headerLength; at <= _bytes.Length - 8;)
        {
            var type = BinaryPrimitives.ReadUInt32BigEndian(_bytes[at..]);
            var length = BinaryPrimitives.ReadInt32BigEndian(_bytes[(at + 4)..]);
            if (type == 0 || length < 0 || length > _bytes.Length - at - 8) break;
            found.Add((type, (at + 8)..(at + 8 + length)));
            at += 8 + (length + 7) / 8 * 8;
            if (at > _bytes.Length) break;
        }
        return found;
    }

    public string? Text(uint type)
    {
        var place = Find(type);
        return place.Equals(default) ? null : Encoding.UTF8.GetString(_bytes[place]);
    }

    /// <summary>Writes one extension, and returns where the next one goes.</summary>
    public static int Put(Span<byte> header, int at, uint type, ReadOnlySpan<byte> data)
    {
        BinaryPrimitives.WriteUInt32BigEndian(header[at..], type);
        BinaryPrimitives.WriteInt32BigEndian(header[(at + 4)..], data.Length);
        data.CopyTo(header[(at + 8)..]);
        return at + 8 + (data.Length + 7) / 8 * 8;
    }
}
