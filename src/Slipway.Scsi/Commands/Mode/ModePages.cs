namespace Slipway.Scsi.Commands.Mode;

/// <summary>The PC field of MODE SENSE (SPC-4 §6.13.1); saved values are refused before.</summary>
internal enum ModePageControl
{
    Current = 0,
    Changeable = 1,
    Default = 2,
}

/// <summary>
/// The mode pages of a unit. Each is a few byte strings of one length, its values, its defaults and the mask of what MODE
/// SELECT may change, so that no page needs code of its own to be sent or checked. One set serves every nexus (the
/// mode page policy "shared", SPC-4 §7.8.9).
/// </summary>
internal sealed class ModePages
{
    /// <summary>More than the longest header, block descriptor and all pages together.</summary>
    public const int MaxLength = 128;

    private const int AllPages = 0x3F;
    private const byte DescriptorSenseBit = 0x04;
    private const byte SoftwareWriteProtectBit = 0x08;
    private const byte WriteCacheEnabledBit = 0x04;

    private readonly Lock _lock = new();

    private readonly ModePage[] _pages;
    private readonly ModePage _control;
    private readonly ModePage? _caching;

    private ModePages(params ModePage[] pages)
    {
        _pages = pages;
        _control = Find(0x0A)!;
        _caching = Find(0x08);
    }

    public static ModePages OfDisk() => new(
        ErrorRecovery(),

        // SBC-3 §6.5.5: WCE: a write is acknowledged before it is on the medium.
        new ModePage(
            "08 12 04 00 0000 0000 0000 0000 00 00 0000 00 000000",
            "08 12 04 00 0000 0000 0000 0000 00 00 0000 00 000000"),
        Control(swp: "08"),

        // SBC-3 §6.5.6: DEXCPT: nothing is ever reported.
        new ModePage(
            "1C 0A 08 00 00000000 00000000",
            "1C 0A 00 00 00000000 00000000"));

    public static ModePages OfCdRom() => new(
        ErrorRecovery(),
        Control(swp: "00"),

        // Those of the features Power Management and Timeout (MMC-6 §5.3): the drive saves no energy, and recommends no time-outs.
        new ModePage(
            "1A 0A 00 00 00000000 00000000",
            "1A 0A 00 00 00000000 00000000"),
        new ModePage(
            "1D 08 0000 00 00 0000 0000",
            "1D 08 0000 00 00 0000 0000"),

        // MMC-3 §6.3.11, which MMC-6 keeps for older hosts: reads CD-R, CD-RW and DVD-ROM, a tray that locks and ejects; speeds in kB/s.
        new ModePage(
            "2A 16 0B 00 00 00 29 00 1B90 0000 0400 1B90 00 00 0000 0000 0000",
            "2A 16 00 00 00 00 00 00 0000 0000 0000 0000 00 00 0000 0000 0000"));

    public bool WriteCacheEnabled => _caching is not null && (_caching.Current.Span[2] & WriteCacheEnabledBit) != 0;

    public bool DescriptorSense => (_control.Current.Span[2] & DescriptorSenseBit) != 0;

    public bool SoftwareWriteProtect => (_control.Current.Span[4] & SoftwareWriteProtectBit) != 0;

    /// <summary>Shows a state of the unit in a page.</summary>
    public void Show(int code, int position, byte value)
    {
        lock (_lock)
        {
            var page = Find((byte)code)!;
            var bytes = page.Current.ToArray();
            bytes[position] = value;
            page.Current = bytes;
        }
    }

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
                ModePageControl.Default => page.Default,
                _ => page.Current,
            };
            bytes.Span.CopyTo(destination[length..]);
            length += bytes.Length;
        }

        return length;
    }

    /// <summary>
    /// Takes the pages of a MODE SELECT parameter list, all or none (SPC-4 §6.11.1): a refusal's place is in
    /// <paramref name="wrong"/>, and <paramref name="isCut"/> says that the list ends within a page. True when something changed.
    /// </summary>
    public bool TrySelect(ReadOnlySpan<byte> list, out int? wrong, out bool isCut)
    {
        wrong = null;
        isCut = false;
        lock (_lock)
        {
            var changes = new List<(ModePage Page, byte[] Bytes)>();
            for (var at = 0; at < list.Length;)
            {
                var page = Find(list[at]);
                if (page is null)
                {
                    wrong = at;
                    return false;
                }

                var length = page.Default.Length;
                isCut = at + 1 >= list.Length;
                if (!isCut && list[at + 1] != length - 2)
                {
                    wrong = at + 1;
                    return false;
                }

                isCut |= at + length > list.Length;
                if (isCut)
                    return false;

                var bytes = list.Slice(at, length).ToArray();
                bytes[0] &= 0x3F;
                if (page.FirstFixedDifference(bytes) is { } difference)
                {
                    wrong = at + difference;
                    return false;
                }

                changes.Add((page, bytes));
                at += length;
            }

            var hasChanged = false;
            foreach (var (page, bytes) in changes)
            {
                hasChanged |= !page.Current.Span.SequenceEqual(bytes);
                page.Current = bytes;
            }

            return hasChanged;
        }
    }

    /// <summary>SPC-4 §6.13.6: a reset returns to the saved values, which are the defaults.</summary>
    public void Reset()
    {
        lock (_lock)
        {
            foreach (var page in _pages)
                page.Current = page.Default;
        }
    }

    // Read-Write Error Recovery (SBC-3 §6.5.8, MMC-6 §7.2.3): errors are corrected as far as possible, and reported where they are not. sg_format, for one,
    // asks for no other page.
    private static ModePage ErrorRecovery() => new(
        "01 0A 00 00 00000000 00000000",
        "01 0A 00 00 00000000 00000000");

    // SPC-4 §7.5.8: commands may be reordered (QUEUE ALGORITHM MODIFIER 1); D_SENSE, and of a disk SWP, can be changed.
    private static ModePage Control(string swp) => new(
        "0A 0A 00 10 00 00 0000 0000 0000",
        $"0A 0A 04 00 {swp} 00 0000 0000 0000");

    // SPF, bit 6, asks for a subpage, of which there are none; PS, bit 7, is reserved in MODE SELECT.
    private ModePage? Find(byte code) => Array.Find(_pages, p => p.Code == code);
}
