using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Slipway.Fleet.Machines;

/// <summary>An Ethernet address. Text is six pairs of hex digits; <c>:</c>, <c>-</c> or nothing between them.</summary>
public readonly record struct MacAddress : IParsable<MacAddress>
{
    private readonly ulong _value;

    private MacAddress(ulong value) => _value = value;

    /// <exception cref="ArgumentException"><paramref name="bytes"/> is not six bytes long.</exception>
    public static MacAddress From(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != 6)
            throw new ArgumentException($"an Ethernet address has 6 bytes, not {bytes.Length}", nameof(bytes));
        ulong value = 0;
        foreach (var b in bytes)
            value = value << 8 | b;
        return new MacAddress(value);
    }

    public static MacAddress Parse(string s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out var mac) ? mac : throw new FormatException($"'{s}' is no Ethernet address (like 52:54:00:12:34:56)");

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out MacAddress result)
    {
        result = default;
        if (s is null)
            return false;
        var digits = s.Length == 17 && (s[2] is ':' or '-') ? s.Replace(s[2].ToString(), "", StringComparison.Ordinal) : s;
        if (digits.Length != 12 || !ulong.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            return false;
        result = new MacAddress(value);
        return true;
    }

    /// <summary>As iPXE's <c>${mac:hexhyp}</c> writes it: <c>52-54-00-12-34-56</c>, good in a URL.</summary>
    public string ToHyphenated() => Join('-');

    public override string ToString() => Join(':');

    private string Join(char separator)
    {
        var value = _value;
        return string.Create(17, (value, separator), static (text, state) =>
        {
            for (var i = 0; i < 6; i++)
            {
                var b = (byte)(state.value >> (40 - 8 * i));
                text[3 * i] = "0123456789abcdef"[b >> 4];
                text[3 * i + 1] = "0123456789abcdef"[b & 15];
                if (i < 5)
                    text[3 * i + 2] = state.separator;
            }
        });
    }
}
