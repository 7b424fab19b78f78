using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Slipway.Iscsi.Text;

/// <summary>The key=value pairs of a text or login data segment, in their order (RFC 7143 §6.1).</summary>
public sealed class TextKeys
{
    /// <summary>RFC 7143 §6.1: a key name has at most 63 characters.</summary>
    public const int MaxKeyLength = 63;

    /// <summary>
    /// Keys in one text. RFC 7143 defines some thirty; of so many that nobody understands the answer still fits in one PDU
    /// of the login.
    /// </summary>
    public const int MaxKeys = 96;

    private readonly List<KeyValuePair<string, string>> _pairs = [];

    public IReadOnlyList<KeyValuePair<string, string>> Pairs => _pairs;

    public int Count => _pairs.Count;

    public string? this[string key] => Find(key) is var i and >= 0 ? _pairs[i].Value : null;

    public void Add(string key, string value) => _pairs.Add(new(key, value));

    public void Clear() => _pairs.Clear();

    /// <summary>Takes a key out; null where it is not there.</summary>
    public string? Take(string key)
    {
        if (Find(key) is not (var i and >= 0))
            return null;
        var value = _pairs[i].Value;
        _pairs.RemoveAt(i);
        return value;
    }

    /// <summary>Reads pairs, each ended by a zero byte. False with a sentence where a segment is not such a list.</summary>
    public static bool TryParse(ReadOnlySpan<byte> segment, TextKeys into, [NotNullWhen(false)] out string? error)
    {
        while (segment.Length > 0)
        {
            var end = segment.IndexOf((byte)0);
            if (end < 0)
            {
                error = "the last key=value pair has no zero byte after it";
                return false;
            }
            var pair = segment[..end];
            segment = segment[(end + 1)..];
            // Some initiators pad within the data segment.
            if (pair.IsEmpty)
                continue;
            var equals = pair.IndexOf((byte)'=');
            if (equals is < 1 or > MaxKeyLength || pair[..equals].IndexOfAnyExcept(KeyCharacters) >= 0)
            {
                error = "a key=value pair has no valid key name";
                return false;
            }
            var key = Encoding.ASCII.GetString(pair[..equals]);
            // RFC 7143 §6.2: no key may be negotiated twice in one sequence.
            if (into.Find(key) >= 0)
            {
                error = $"the key {key} was sent twice";
                return false;
            }
            if (into.Count == MaxKeys)
            {
                error = $"a text has more than {MaxKeys} keys";
                return false;
            }
            into.Add(key, Encoding.UTF8.GetString(pair[(equals + 1)..]));
        }
        error = null;
        return true;
    }

    public byte[] ToBytes() => Encoding.UTF8.GetBytes(string.Concat(_pairs.Select(p => $"{p.Key}={p.Value}\0")));

    public override string ToString() => string.Join(' ', _pairs.Select(p => p.Key));

    // RFC 7143 §6.1: standard-label, plus the characters of X- and Z- keys.
    private static readonly SearchValues<byte> KeyCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-+@_#/:"u8);

    private int Find(string key) => _pairs.FindIndex(p => p.Key == key);
}
