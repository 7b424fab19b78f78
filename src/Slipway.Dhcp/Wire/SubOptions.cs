namespace Slipway.Dhcp.Wire;

/// <summary>
/// The code, length, value triples inside options 43, 82 and 175 (RFC 2132 §8.4, RFC 3046 §2.0). A PXE client ends its
/// list with 255; in option 82 that is an ordinary code, so the caller says which it is.
/// </summary>
public static class SubOptions
{
    /// <summary>False where a length runs past the end; what came before that is kept in <paramref name="values"/>.</summary>
    public static bool TryRead(ReadOnlyMemory<byte> value, bool padded, out List<(byte Code, ReadOnlyMemory<byte> Value)> values)
    {
        values = [];
        var rest = value;
        while (!rest.IsEmpty)
        {
            var code = rest.Span[0];
            if (padded && code == (byte)OptionCode.End)
                return true;
            if (padded && code == (byte)OptionCode.Pad)
            {
                rest = rest[1..];
                continue;
            }
            if (rest.Length < 2 || rest.Span[1] > rest.Length - 2)
                return false;
            values.Add((code, rest.Slice(2, rest.Span[1])));
            rest = rest[(2 + rest.Span[1])..];
        }
        return true;
    }

    public static byte[] Write(IEnumerable<(byte Code, ReadOnlyMemory<byte> Value)> values, bool end)
    {
        var bytes = new List<byte>();
        foreach (var (code, value) in values)
        {
            if (value.Length > byte.MaxValue)
                throw new ArgumentException($"sub-option {code} has {value.Length} bytes; 255 fit", nameof(values));
            bytes.Add(code);
            bytes.Add((byte)value.Length);
            bytes.AddRange(value.Span);
        }
        if (end)
            bytes.Add((byte)OptionCode.End);
        return [.. bytes];
    }
}
