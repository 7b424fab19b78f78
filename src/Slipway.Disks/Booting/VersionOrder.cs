namespace Slipway.Disks.Booting;

/// <summary>Versions as people count: runs of digits by their number, all else by its characters. 6.1.0-9 is before 6.1.0-10.</summary>
internal sealed class VersionOrder : IComparer<string>
{
    public static readonly VersionOrder Instance = new();

    public int Compare(string? x, string? y)
    {
        var left = x.AsSpan();
        var right = y.AsSpan();
        while (left.Length > 0 && right.Length > 0)
        {
            var a = Run(left);
            var b = Run(right);
            var order = char.IsAsciiDigit(a[0]) && char.IsAsciiDigit(b[0])
                ? ByNumber(a.TrimStart('0'), b.TrimStart('0'))
                : a.SequenceCompareTo(b);
            if (order != 0)
                return order;
            left = left[a.Length..];
            right = right[b.Length..];
        }
        return left.Length - right.Length;
    }

    private static int ByNumber(ReadOnlySpan<char> a, ReadOnlySpan<char> b) =>
        a.Length != b.Length ? a.Length - b.Length : a.SequenceCompareTo(b);

    private static ReadOnlySpan<char> Run(ReadOnlySpan<char> text)
    {
        var end = 1;
        while (end < text.Length && char.IsAsciiDigit(text[end]) == char.IsAsciiDigit(text[0]))
            end++;
        return text[..end];
    }
}
