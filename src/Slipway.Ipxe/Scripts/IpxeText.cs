namespace Slipway.Ipxe.Scripts;

/// <summary>Text of a script: plain words, settings' values, or both joined without a blank.</summary>
public readonly record struct IpxeText
{
    private readonly string? _written;

    internal IpxeText(string written) => _written = written;

    internal string Written => _written ?? "";

    /// <summary>The text as one word: an address, a label's comparand. Blanks in it are refused.</summary>
    internal string Word => IsWord(Written.Replace("${", "", StringComparison.Ordinal)) && Written[0] != '-'
        ? Written
        : throw new ArgumentException($"'{Written}' is not one word of an iPXE script");

    /// <summary>Text as it stands. What iPXE would take as syntax is refused.</summary>
    public static IpxeText Plain(string text)
    {
        if (text.Contains("${", StringComparison.Ordinal)) throw new ArgumentException($"'{text}' holds '${{', which iPXE would expand", nameof(text));
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!IsWord(word)) throw new ArgumentException($"'{word}' would be syntax in an iPXE script, not text", nameof(text));
        }
        return new(text);
    }

    public static implicit operator IpxeText(string text) => Plain(text);

    public static implicit operator IpxeText(Uri uri) => Plain(uri.AbsoluteUri);

    public static IpxeText operator +(IpxeText left, IpxeText right) => new(left.Written + right.Written);

    public static IpxeText Add(IpxeText left, IpxeText right) => left + right;

    public override string ToString() => Written;

    /// <summary>True where the shell takes the text as one word and as nothing else.</summary>
    internal static bool IsWord(string text) =>
        text.Length > 0 && text[0] != '#' && text is not ("||" or "&&" or ";")
        && text.All(c => c is > ' ' and < (char)127) && !text.Contains("${", StringComparison.Ordinal);
}
