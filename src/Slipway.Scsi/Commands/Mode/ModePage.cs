namespace Slipway.Scsi.Commands.Mode;

/// <summary>One mode page: its default values and, in the same shape, a one for each bit that MODE SELECT may change.</summary>
internal sealed class ModePage
{
    // Replaced as a whole, read without a lock.
    private volatile byte[] _current;

    public ModePage(string defaults, string changeable)
    {
        _current = Parse(defaults);
        Default = _current;
        Changeable = Parse(changeable);
    }

    public int Code => Default.Span[0];

    public ReadOnlyMemory<byte> Default { get; }

    public ReadOnlyMemory<byte> Changeable { get; }

    public ReadOnlyMemory<byte> Current
    {
        get => _current;
        set => _current = value.ToArray();
    }

    /// <summary>Where <paramref name="bytes"/> change what cannot be changed.</summary>
    public int? FirstFixedDifference(ReadOnlySpan<byte> bytes)
    {
        for (var i = 2; i < bytes.Length; i++)
        {
            if (((bytes[i] ^ _current[i]) & ~Changeable.Span[i]) != 0)
                return i;
        }

        return null;
    }

    private static byte[] Parse(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
}
