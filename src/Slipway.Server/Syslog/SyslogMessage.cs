using System.Globalization;

namespace Slipway.Server.Syslog;

/// <summary>RFC 5424 §6.2.1, table 2.</summary>
public enum SyslogSeverity
{
    Emergency,
    Alert,
    Critical,
    Error,
    Warning,
    Notice,
    Informational,
    Debug,
}

/// <summary>
/// One datagram of syslog (RFC 5426 §3.1), as far as a timeline wants it. What a machine says of the time and of its name is
/// left out: its clock may be wrong, and who it is its address tells.
/// </summary>
/// <param name="Facility">0 to 23 (RFC 5424 §6.2.1, table 1).</param>
/// <param name="App">The program that speaks; null where it does not say.</param>
/// <param name="Text">One line, without control characters (<see cref="SyslogText"/>).</param>
public sealed record SyslogMessage(int Facility, SyslogSeverity Severity, string? App, string Text)
{
    /// <summary>Bytes that are looked at: what a receiver should take (RFC 5426 §3.2). The rest is cut off.</summary>
    public const int MaxLength = 2048;

    // RFC 3164 §4.3.3: user, notice.
    private const int DefaultPriority = 13;

    // RFC 5424 §6.2.1: 23 * 8 + 7.
    private const int MaxPriority = 191;

    // RFC 5424 §6.2.5.
    private const int MaxAppLength = 48;

    private static ReadOnlySpan<byte> Utf8Mark => [0xEF, 0xBB, 0xBF];

    private static ReadOnlySpan<byte> Ipxe => "ipxe:"u8;

    /// <summary>Takes RFC 5424, RFC 3164, what iPXE makes of the latter, and, as §4.3.3 there asks for, anything else as text.</summary>
    /// <returns>Null where there is nothing to read.</returns>
    public static SyslogMessage? Parse(ReadOnlySpan<byte> datagram)
    {
        var rest = datagram[..Math.Min(datagram.Length, MaxLength)];
        var priority = TakePriority(ref rest) ?? DefaultPriority;
        var content = rest;
        if (!TryTakeHeader(ref content, out var app))
        {
            content = rest;
            app = TakeOldHeader(ref content);
        }
        var text = SyslogText.Of(content);
        var name = SyslogText.Of(app);
        return text.Length == 0 ? null : new(priority / 8, (SyslogSeverity)(priority % 8), name.Length > 0 ? name : null, text);
    }

    private static int? TakePriority(ref ReadOnlySpan<byte> rest)
    {
        if (rest.Length < 3 || rest[0] != '<' || rest[..Math.Min(rest.Length, 5)].IndexOf((byte)'>') is not (>= 2 and var end)
            || !int.TryParse(rest[1..end], NumberStyles.None, CultureInfo.InvariantCulture, out var priority) || priority > MaxPriority)
            return null;
        rest = rest[(end + 1)..];
        return priority;
    }

    // RFC 5424 §6: VERSION SP TIMESTAMP SP HOSTNAME SP APP-NAME SP PROCID SP MSGID SP STRUCTURED-DATA [SP MSG].
    private static bool TryTakeHeader(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> app)
    {
        app = default;
        if (!rest.StartsWith("1 "u8))
            return false;
        rest = rest[2..];
        ReadOnlySpan<byte> name = default;
        for (var field = 0; field < 5; field++)
        {
            var word = FirstWord(rest);
            if (word.IsEmpty || word.Length == rest.Length)
                return false;
            if (field == 0 && !IsNil(word) && !IsIsoTime(word))
                return false;
            if (field == 2)
                name = word;
            rest = rest[(word.Length + 1)..];
        }
        if (!TrySkipStructuredData(ref rest))
            return false;
        if (rest.StartsWith(Utf8Mark))
            rest = rest[Utf8Mark.Length..];
        app = IsNil(name) ? default : name[..Math.Min(name.Length, MaxAppLength)];
        return true;
    }

    // §6.3: "-", or elements [ID NAME="VALUE" …] in whose values ", \ and ] are escaped.
    private static bool TrySkipStructuredData(ref ReadOnlySpan<byte> rest)
    {
        var at = 0;
        if (rest.Length > 0 && rest[0] == '-')
        {
            at = 1;
        }
        else
        {
            for (; at < rest.Length && rest[at] == '['; at++)
            {
                var quoted = false;
                for (at++; at < rest.Length && (quoted || rest[at] != ']'); at++)
                {
                    if (quoted && rest[at] == '\\')
                        at++;
                    else if (rest[at] == '"')
                        quoted = !quoted;
                }
            }
        }
        if (at == 0 || at > rest.Length || (at < rest.Length && rest[at] != ' '))
            return false;
        rest = at < rest.Length ? rest[(at + 1)..] : [];
        return true;
    }

    // RFC 3164 §4.1: [TIMESTAMP SP] [HOSTNAME SP] TAG[PID]: CONTENT. Logger programs leave the name out, rsyslog may write
    // the time of RFC 3339, and iPXE knows no time.
    private static ReadOnlySpan<byte> TakeOldHeader(ref ReadOnlySpan<byte> rest)
    {
        var content = rest;
        var timed = true;
        if (IsOldTime(content))
            content = content[OldTimeLength..].TrimStart((byte)' ');
        else if (IsIsoTime(FirstWord(content)))
            content = content[FirstWord(content).Length..].TrimStart((byte)' ');
        else
            timed = false;

        var word = FirstWord(content);
        var after = content[word.Length..].TrimStart((byte)' ');
        var next = FirstWord(after);
        // Without a time before it, a word may as well be the first of a sentence.
        if (IsTag(word))
            return TakeTag(word, after, out rest);
        if (timed ? IsTag(next) : next.SequenceEqual(Ipxe))
            return TakeTag(next, after[next.Length..].TrimStart((byte)' '), out rest);
        rest = content;
        return default;
    }

    private static ReadOnlySpan<byte> TakeTag(ReadOnlySpan<byte> word, ReadOnlySpan<byte> content, out ReadOnlySpan<byte> rest)
    {
        rest = content;
        var end = word.IndexOfAny((byte)'[', (byte)':');
        return word[..end];
    }

    private static bool IsTag(ReadOnlySpan<byte> word) =>
        word.Length is > 1 and <= MaxAppLength + 10 && word[^1] == ':' && word.IndexOfAny((byte)'[', (byte)':') is > 0 and <= MaxAppLength;

    private const int OldTimeLength = 15;

    // "Nov  6 18:51:08"
    private static bool IsOldTime(ReadOnlySpan<byte> text) =>
        text.Length > OldTimeLength && char.IsAsciiLetterUpper((char)text[0]) && char.IsAsciiLetterLower((char)text[1]) && char.IsAsciiLetterLower((char)text[2])
        && text[3] == ' ' && text[6] == ' ' && text[9] == ':' && text[12] == ':' && text[15] == ' ';

    // "2026-11-26T18:51:08…"
    private static bool IsIsoTime(ReadOnlySpan<byte> word) =>
        word.Length >= 19 && char.IsAsciiDigit((char)word[0]) && word[4] == '-' && word[7] == '-' && word[10] == 'T' && word[13] == ':' && word[16] == ':';

    private static bool IsNil(ReadOnlySpan<byte> field) => field is [(byte)'-'];

    private static ReadOnlySpan<byte> FirstWord(ReadOnlySpan<byte> text) => text.IndexOf((byte)' ') is >= 0 and var end ? text[..end] : text;
}
