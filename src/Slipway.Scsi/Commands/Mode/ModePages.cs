namespace Slipway.Scsi.Commands.Mode;

/// <summary>The PC field of MODE SENSE (SPC-4 §6.11.1); saved values are refused before.</summary>
internal enum ModePageControl
{
    Current = 0,
    Changeable = 1,
    Default = 2,
}

/// <summary>
/// The mode pages of a disk. Each is kept as three byte strings of one length, its current values, its defaults and the
/// mask of what MODE SELECT may change, so that no page needs code of its own to be sent or checked.
/// </summary>
internal sealed class ModePages
{
    /// <summary>More than the longest header, block descriptor and all pages together.</summary>
    public const int MaxLength = 128;

    private const int AllPages = 0x3F;

    // SBC-3 §6.5.5: WCE: a write is acknowledged before it is on the medium.
    private static readonly ModePage Caching = new(
        "08 12 04 00 0000 0000 0000 0000 00 00 0000 00 000000",
        "08 12 00 00 0000 0000 0000 0000 00 00 0000 00 000000");

    // SPC-4 §7.5.8: BUSY TIMEOUT PERIOD and the rest say nothing; commands may be reordered (QUEUE ALGORITHM MODIFIER 1),
    // each takes effect before it is acknowledged.
    private static readonly ModePage Control = new(
        "0A 0A 00 10 00 00 0000 0000 0000",
        "0A 0A 00 00 00 00 0000 0000 0000");

    // SBC-3 §6.5.8: DEXCPT: nothing is ever reported.
    private static readonly ModePage InformationalExceptions = new(
        "1C 0A 08 00 00000000 00000000",
        "1C 0A 00 00 00000000 00000000");

    private readonly ModePage[] _pages = [Caching, Control, InformationalExceptions];

    /// <summary>Writes a page, or all of them in ascending order; 0 where the unit has no such page.</summary>
    public int Write(int code, ModePageControl control, Span<byte> destination)
    {
        var length = 0;
        foreach (var page in _pages)
        {
            if (code != AllPages && code != page.Code)
                continue;
            var bytes = control switch
            {
                ModePageControl.Changeable => page.Changeable,
                _ => page.Default,
            };
            bytes.Span.CopyTo(destination[length..]);
            length += bytes.Length;
        }

        return length;
    }
}
