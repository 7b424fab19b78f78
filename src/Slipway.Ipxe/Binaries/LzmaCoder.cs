using System.Buffers.Binary;

namespace Slipway.Ipxe.Binaries;

/// <summary>One side of LZMA's adaptive binary range coder. A decoder returns the bits that it reads; an encoder writes, and returns, those that it is given.</summary>
internal interface ILzmaCoder
{
    /// <param name="probability">That the bit is 0, in 1/2048; it is adapted.</param>
    int Bit(ref ushort probability, int bit);

    /// <summary>A bit that is as likely to be 0 as 1.</summary>
    int EvenBit(int bit);
}

/// <exception cref="InvalidDataException">The bytes end before the stream does.</exception>
internal sealed class LzmaDecoder : ILzmaCoder
{
    private readonly ReadOnlyMemory<byte> _input;
    private int _at = 5;
    private uint _range = uint.MaxValue, _code;

    public LzmaDecoder(ReadOnlyMemory<byte> input)
    {
        _input = input;
        _code = BinaryPrimitives.ReadUInt32BigEndian(input.Span[1..]);
    }

    public int Bit(ref ushort probability, int bit)
    {
        Normalise();
        var bound = (_range >> 11) * probability;
        if (_code < bound)
        {
            _range = bound;
            probability += (ushort)((2048 - probability) >> 5);
            return 0;
        }
        _range -= bound;
        _code -= bound;
        probability -= (ushort)(probability >> 5);
        return 1;
    }

    public int EvenBit(int bit)
    {
        Normalise();
        _range >>= 1;
        if (_code < _range)
            return 0;
        _code -= _range;
        return 1;
    }

    private void Normalise()
    {
        if (_range >= 1 << 24)
            return;
        if (_at == _input.Length)
            throw new InvalidDataException("the LZMA stream has no end");
        _range <<= 8;
        _code = _code << 8 | _input.Span[_at++];
    }
}

internal sealed class LzmaEncoder : ILzmaCoder
{
    private readonly List<byte> _output = [];
    private ulong _low;
    private uint _range = uint.MaxValue;
    private byte _held;

    // A carry runs back through bytes of FF, so that these are held back too.
    private int _waiting = 1;

    public int Bit(ref ushort probability, int bit)
    {
        var bound = (_range >> 11) * probability;
        if (bit == 0)
        {
            _range = bound;
            probability += (ushort)((2048 - probability) >> 5);
        }
        else
        {
            _low += bound;
            _range -= bound;
            probability -= (ushort)(probability >> 5);
        }
        Normalise();
        return bit;
    }

    public int EvenBit(int bit)
    {
        _range >>= 1;
        if (bit != 0)
            _low += _range;
        Normalise();
        return bit;
    }

    public byte[] Finish()
    {
        for (var i = 0; i < 5; i++)
            Shift();
        return [.. _output];
    }

    private void Normalise()
    {
        while (_range < 1 << 24)
        {
            _range <<= 8;
            Shift();
        }
    }

    private void Shift()
    {
        if (_low < 0xFF00_0000 || _low > uint.MaxValue)
        {
            var carry = (byte)(_low >> 32);
            for (; _waiting > 0; _waiting--)
            {
                _output.Add((byte)(_held + carry));
                _held = 0xFF;
            }
            _held = (byte)(_low >> 24);
        }
        _waiting++;
        _low = _low << 8 & uint.MaxValue;
    }
}
