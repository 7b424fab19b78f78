using System.Globalization;
using System.Text;

namespace Slipway.Server.Syslog;

/// <summary>
/// What others wrote as one line that a terminal and a log can take: UTF-8, where it is; without control characters,
/// terminals' escape sequences, and characters that turn the order of a line around.
/// </summary>
internal static class SyslogText
{
    /// <summary>In UTF-16 units; what is longer ends in an ellipsis.</summary>
    public const int MaxLength = 1024;

    private const byte Escape = 0x1B;

    public static string Of(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(Math.Min(bytes.Length, MaxLength));
        while (!bytes.IsEmpty)
        {
            if (bytes[0] == Escape)
            {
                bytes = bytes[SequenceLength(bytes)..];
                continue;
            }
            Rune.DecodeFromUtf8(bytes, out var rune, out var length);
            bytes = bytes[length..];
            var shown = Shown(rune);
            // What would not be seen at the beginning is not worth its room.
            if (text.Length == 0 && shown == new Rune(' '))
                continue;
            if (text.Length + shown.Utf16SequenceLength > MaxLength)
                return text.Append('…').ToString();
            text.Append(shown.ToString());
        }
        while (text.Length > 0 && text[^1] == ' ')
            text.Length--;
        return text.ToString();
    }

    private static Rune Shown(Rune rune) => rune.Value == 0 || Rune.IsWhiteSpace(rune) ? new Rune(' ') : Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned => Rune.ReplacementChar,
        _ => rune,
    };

    // ECMA-48 §5.4: CSI is ESC [, parameter and intermediate bytes, and a final byte from 4/0 on. Any other is left as its text.
    private static int SequenceLength(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 2 || bytes[1] != '[')
            return 1;
        var at = 2;
        while (at < bytes.Length && bytes[at] is >= 0x20 and < 0x40)
            at++;
        return at < bytes.Length && bytes[at] is >= 0x40 and < 0x7F ? at + 1 : at;
    }
}
