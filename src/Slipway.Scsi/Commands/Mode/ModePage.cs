namespace Slipway.Scsi.Commands.Mode;

/// <summary>One mode page: its default values and, in the same shape, a one for each bit that MODE SELECT may change.</summary>
internal sealed class ModePage
{
    public ModePage(string defaults, string changeable)
    {
        Default = Parse(defaults);
        Changeable = Parse(changeable);
    }

    public int Code => Default.Span[0] & 0x3F;

    public ReadOnlyMemory<byte> Default { get; }

    public ReadOnlyMemory<byte> Changeable { get; }

    private static byte[] Parse(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
}
