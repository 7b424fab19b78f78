namespace Slipway.Tests.Fuzz;

/// <summary>
/// Makes inputs out of good ones: bits flipped, bytes set to what parsers stumble over, runs cut out, doubled or put in
/// from another input. The same seed gives the same inputs.
/// </summary>
internal sealed class Mutator(ulong seed)
{
    private static ReadOnlySpan<byte> Sore => [0x00, 0x01, 0x02, 0x03, 0x04, 0x3F, 0x40, 0x7F, 0x80, 0xC0, 0xFE, 0xFF, (byte)'=', (byte)',', (byte)'0', (byte)'x'];
    private ulong _state = seed * 0x9E3779B97F4A7C15 + 1;

    /// <summary>From 0 to <paramref name="below"/> - 1.</summary>
    public int Next(int below)
    {
        // xorshift64*
        _state ^= _state >> 12;
        _state ^= _state << 25;
        _state ^= _state >> 27;
        return (int)((_state * 0x2545F4914F6CDD1D >> 33) % (uint)below);
    }

    public byte NextByte() => (byte)Next(256);

    /// <summary>Writes a changed copy of <paramref name="source"/>, at most as long as the room for it; returns its length.</summary>
    public int Mutate(ReadOnlySpan<byte> source, ReadOnlySpan<byte> other, Span<byte> destination)
    {
        var length = Math.Min(source.Length, destination.Length);
        source[..length].CopyTo(destination);
        for (var changes = 1 << Next(4); changes > 0 && length > 0; changes--)
        {
            var at = Next(length);
            var run = Math.Min(1 + Next(16), length - at);
            switch (Next(8))
            {
                case 0 or 1:
                    destination[at] ^= (byte)(1 << Next(8));
                    break;
                case 2 or 3:
                    destination[at] = Sore[Next(Sore.Length)];
                    break;
                case 4:
                    destination[at] = NextByte();
                    break;
                case 5:
                    destination[(at + run)..length].CopyTo(destination[at..]);
                    length -= run;
                    break;
                case 6:
                    run = Math.Min(run, destination.Length - length);
                    destination[at..length].CopyTo(destination[(at + run)..]);
                    length += run;
                    break;
                default:
                    run = Math.Min(run, other.Length);
                    if (run > 0)
                        other.Slice(Next(other.Length - run + 1), run).CopyTo(destination[at..]);
                    break;
            }
        }
        return length;
    }
}
