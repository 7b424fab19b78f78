using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Slipway.Dhcp.Wire;

/// <summary>
/// Options in the order of their first appearance; parts of one option are already joined (RFC 3396 §5). The values are
/// whole: splitting for the wire is the writer's business.
/// </summary>
public sealed class DhcpOptions
{
    private readonly List<(OptionCode Code, ReadOnlyMemory<byte> Value)> _options = [];

    public int Count => _options.Count;

    public IReadOnlyList<(OptionCode Code, ReadOnlyMemory<byte> Value)> All => _options;

    public bool Has(OptionCode code) => IndexOf(code) >= 0;

    /// <summary>The value, or null where the option is absent; an option may be present and empty.</summary>
    public ReadOnlyMemory<byte>? Find(OptionCode code)
    {
        // Not a conditional expression: its null would become an empty memory, by way of a null array.
        if (IndexOf(code) is var i and >= 0)
            return _options[i].Value;
        return null;
    }

    public void Set(OptionCode code, ReadOnlyMemory<byte> value)
    {
        if (code is OptionCode.Pad or OptionCode.End or OptionCode.Overload)
            throw new ArgumentOutOfRangeException(nameof(code), code, "structure of the options field, not an option");
        if (IndexOf(code) is var i and >= 0)
            _options[i] = (code, value);
        else
            _options.Add((code, value));
    }

    public void Set(OptionCode code, byte value) => Set(code, new[] { value });

    public void Set(OptionCode code, uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        Set(code, bytes);
    }

    public void Set(OptionCode code, IPAddress address) => Set(code, address.GetAddressBytes());

    public void Set(OptionCode code, IEnumerable<IPAddress> addresses) =>
        Set(code, addresses.SelectMany(a => a.GetAddressBytes()).ToArray());

    public void Set(OptionCode code, string text) => Set(code, Encoding.UTF8.GetBytes(text));

    /// <summary>The first byte, or null where the option is absent or empty.</summary>
    public byte? Byte(OptionCode code) => Find(code) is { IsEmpty: false } v ? v.Span[0] : null;

    public ushort? UInt16(OptionCode code) => Find(code) is { Length: 2 } v ? BinaryPrimitives.ReadUInt16BigEndian(v.Span) : null;

    public uint? UInt32(OptionCode code) => Find(code) is { Length: 4 } v ? BinaryPrimitives.ReadUInt32BigEndian(v.Span) : null;

    public IPAddress? Address(OptionCode code) => Find(code) is { Length: 4 } v ? new IPAddress(v.Span) : null;

    /// <summary>Text as clients send it: trailing NULs belong to the sender's C string (RFC 2132 §2), not to the value.</summary>
    public string? Text(OptionCode code) => Find(code) is { } v ? PrintableText(v.Span) : null;

    internal static string PrintableText(ReadOnlySpan<byte> value)
    {
        var text = value.TrimEnd((byte)0);
        return string.Create(text.Length, text, static (chars, bytes) =>
        {
            for (var i = 0; i < bytes.Length; i++)
                chars[i] = bytes[i] is >= 0x20 and < 0x7F ? (char)bytes[i] : '?';
        });
    }

    /// <summary>Joins a further part of an option to what was read of it before.</summary>
    internal void Append(OptionCode code, ReadOnlyMemory<byte> part)
    {
        if (IndexOf(code) is not (var i and >= 0))
        {
            _options.Add((code, part));
            return;
        }
        var whole = new byte[_options[i].Value.Length + part.Length];
        _options[i].Value.CopyTo(whole);
        part.CopyTo(whole.AsMemory(_options[i].Value.Length));
        _options[i] = (code, whole);
    }

    private int IndexOf(OptionCode code)
    {
        for (var i = 0; i < _options.Count; i++)
        {
            if (_options[i].Code == code)
                return i;
        }
        return -1;
    }
}
