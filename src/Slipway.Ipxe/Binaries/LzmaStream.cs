using System.Numerics;

namespace Slipway.Ipxe.Binaries;

/// <summary>A step of an LZMA stream: a byte of its own, or a copy of what lies <see cref="Distance"/> + 1 bytes back.</summary>
/// <param name="Repeat">From as far back as one of the four latest copies, 0 for the latest; negative for any other way to say it.</param>
internal readonly record struct LzmaStep(uint Distance, int Length, int Repeat = -1)
{
    public static LzmaStep Literal { get; } = new(0, 0);

    public bool IsLiteral => Length == 0;

    public bool IsEnd => Length > 0 && Distance == uint.MaxValue;
}

/// <summary>
/// The model of an LZMA stream (LZMA SDK, lzma-specification) as iPXE's builds have it: lc=2, lp=0, pb=0, and a marker at its
/// end. Reading and writing are one walk through it, since both adapt the same probabilities in the same order.
/// </summary>
internal sealed class LzmaStream<TCoder>(TCoder coder) where TCoder : ILzmaCoder
{
    private const int LiteralContextBits = 2, FirstMatchState = 7, Shortest = 2;

    private readonly ushort[] _isMatch = Even(12), _isRepeat = Even(12), _isFirst = Even(12), _isSecond = Even(12), _isThird = Even(12), _isLong = Even(12);
    private readonly ushort[] _slots = Even(4 << 6), _special = Even(128), _align = Even(16), _literals = Even(0x300 << LiteralContextBits);
    private readonly Lengths _matchLengths = new(), _repeatLengths = new();
    private readonly uint[] _latest = new uint[4];
    private int _state;

    /// <summary>Whether a copy of one byte can be said here: from as far back as the latest copy only.</summary>
    public bool CanRepeatByte(uint distance) => _latest[0] == distance;

    /// <summary>One step.</summary>
    /// <param name="step">What a writer writes; a reader does not look at it.</param>
    /// <param name="data">What precedes; and at <paramref name="at"/> a literal's byte, which a reader puts there.</param>
    public LzmaStep Next(LzmaStep step, Span<byte> data, int at)
    {
        if (coder.Bit(ref _isMatch[_state], step.IsLiteral ? 0 : 1) == 0)
        {
            data[at] = Literal(data, at);
            _state = _state < 4 ? 0 : _state < 10 ? _state - 3 : _state - 6;
            return LzmaStep.Literal;
        }
        // A writer repeats what it is asked to, and where that is not the same distance, what is.
        var which = step.Repeat < 0 || _latest[step.Repeat] == step.Distance ? step.Repeat : Array.IndexOf(_latest, step.Distance);
        if (coder.Bit(ref _isRepeat[_state], which < 0 ? 0 : 1) == 0)
        {
            var length = Length(_matchLengths, step.Length);
            Remember(3, Distance(length, step.Distance));
            _state = _state < FirstMatchState ? 7 : 10;
            return new(_latest[0], length);
        }
        var repeat = 0;
        if (coder.Bit(ref _isFirst[_state], which == 0 ? 0 : 1) == 0)
        {
            if (coder.Bit(ref _isLong[_state], step.Length == 1 ? 0 : 1) == 0)
            {
                _state = _state < FirstMatchState ? 9 : 11;
                return new(_latest[0], 1, 0);
            }
        }
        else
        {
            repeat = coder.Bit(ref _isSecond[_state], which == 1 ? 0 : 1) == 0 ? 1 : coder.Bit(ref _isThird[_state], which == 2 ? 0 : 1) == 0 ? 2 : 3;
            Remember(repeat, _latest[repeat]);
        }
        var repeated = Length(_repeatLengths, step.Length);
        _state = _state < FirstMatchState ? 8 : 11;
        return new(_latest[0], repeated, repeat);
    }

    private void Remember(int last, uint distance)
    {
        Array.Copy(_latest, 0, _latest, 1, last);
        _latest[0] = distance;
    }

    private byte Literal(Span<byte> data, int at)
    {
        var probabilities = _literals.AsSpan(0x300 * ((at > 0 ? data[at - 1] : 0) >> (8 - LiteralContextBits)));
        // After a copy the byte is likely not the one that would have gone on with it: that one's bits choose the probability.
        var matched = _state >= FirstMatchState;
        var (other, offset) = matched ? (data[Back(at, _latest[0])], 0x100) : (0, 0);
        var symbol = 1;
        for (var i = 7; i >= 0; i--)
        {
            var otherBit = (other >> i & 1) << 8 & offset;
            var bit = coder.Bit(ref probabilities[offset + otherBit + symbol], data[at] >> i & 1);
            symbol = symbol << 1 | bit;
            offset &= bit == 1 ? otherBit : ~otherBit;
        }
        return (byte)symbol;
    }

    public static int Back(int at, uint distance) =>
        distance < at ? at - (int)distance - 1 : throw new InvalidDataException("the LZMA stream copies from before its beginning");

    private int Length(Lengths lengths, int length)
    {
        length -= Shortest;
        if (coder.Bit(ref lengths.Choice[0], length < 8 ? 0 : 1) == 0)
            return Shortest + Tree(lengths.Low, 3, length);
        if (coder.Bit(ref lengths.Choice[1], length < 16 ? 0 : 1) == 0)
            return Shortest + 8 + Tree(lengths.Middle, 3, length - 8);
        return Shortest + 16 + Tree(lengths.High, 8, length - 16);
    }

    private uint Distance(int length, uint distance)
    {
        var slot = Tree(_slots.AsSpan(Math.Min(length - Shortest, 3) << 6), 6, SlotOf(distance));
        if (slot < 4)
            return (uint)slot;
        var bits = (slot >> 1) - 1;
        var known = (uint)(2 | slot & 1) << bits;
        if (slot < 14)
            return known + (uint)ReverseTree(_special.AsSpan((int)known - slot), bits, (int)(distance - known));
        for (var i = bits - 1; i >= 4; i--)
            known += (uint)coder.EvenBit((int)(distance >> i & 1)) << i;
        return known + (uint)ReverseTree(_align, 4, (int)(distance & 15));
    }

    private static int SlotOf(uint distance)
    {
        if (distance < 4)
            return (int)distance;
        var high = BitOperations.Log2(distance);
        return 2 * high + (int)(distance >> (high - 1) & 1);
    }

    private int Tree(Span<ushort> probabilities, int bits, int value)
    {
        var symbol = 1;
        for (var i = bits - 1; i >= 0; i--)
            symbol = symbol << 1 | coder.Bit(ref probabilities[symbol], value >> i & 1);
        return symbol - (1 << bits);
    }

    private int ReverseTree(Span<ushort> probabilities, int bits, int value)
    {
        var (symbol, result) = (1, 0);
        for (var i = 0; i < bits; i++)
        {
            var bit = coder.Bit(ref probabilities[symbol], value >> i & 1);
            symbol = symbol << 1 | bit;
            result |= bit << i;
        }
        return result;
    }

    private static ushort[] Even(int count)
    {
        var probabilities = new ushort[count];
        Array.Fill(probabilities, (ushort)1024);
        return probabilities;
    }

    private sealed class Lengths
    {
        public ushort[] Choice { get; } = Even(2);

        public ushort[] Low { get; } = Even(8);

        public ushort[] Middle { get; } = Even(8);

        public ushort[] High { get; } = Even(256);
    }
}
