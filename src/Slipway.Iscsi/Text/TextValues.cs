using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Slipway.Iscsi.Text;

/// <summary>How values are written (RFC 7143 §6.1): numbers, booleans, lists, large binary values.</summary>
public static class TextValues
{
    /// <summary>Bytes of a value of which nothing else is said (RFC 7143 §6.1).</summary>
    public const int MaxLength = 255;

    public const string Yes = "Yes";
    public const string No = "No";
    public const string None = "None";
    public const string Reject = "Reject";
    public const string Irrelevant = "Irrelevant";
    public const string NotUnderstood = "NotUnderstood";

    public static bool TryParseNumber(string text, out uint value) =>
        IsHex(text)
            ? uint.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value)
            : uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);

    public static string Number(uint value) => value.ToString(CultureInfo.InvariantCulture);

    public static bool TryParseBoolean(string text, out bool value)
    {
        value = text == Yes;
        return value || text == No;
    }

    public static string Boolean(bool value) => value ? Yes : No;

    /// <summary>A large binary value: hex-constant or base64-constant.</summary>
    public static bool TryParseBinary(string text, int maxLength, [NotNullWhen(true)] out byte[]? value)
    {
        value = null;
        var digits = text.AsSpan(Math.Min(2, text.Length));
        if (IsHex(text))
        {
            if (digits.IsEmpty || (digits.Length + 1) / 2 > maxLength || digits.IndexOfAnyExcept(HexDigits) >= 0)
                return false;
            // An odd count of digits is a number without its leading zero.
            value = Convert.FromHexString(digits.Length % 2 == 0 ? digits : "0" + digits.ToString());
            return true;
        }
        if (!text.StartsWith("0b", StringComparison.OrdinalIgnoreCase) || digits.IsEmpty || digits.Length / 4 * 3 > maxLength + 3)
            return false;
        var buffer = new byte[digits.Length];
        if (!Convert.TryFromBase64Chars(digits, buffer, out var length) || length is 0 || length > maxLength)
            return false;
        value = buffer[..length];
        return true;
    }

    public static string Binary(ReadOnlySpan<byte> value) => "0x" + Convert.ToHexStringLower(value);

    private static readonly System.Buffers.SearchValues<char> HexDigits = System.Buffers.SearchValues.Create("0123456789abcdefABCDEF");

    private static bool IsHex(string text) => text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
}
