using System.Buffers.Binary;
using System.IO.Hashing;

namespace Slipway.Ipxe.Binaries;

/// <summary>
/// The compressed part of an iPXE for BIOS, as its build makes it (util/zbin.c) and its start unpacks it
/// (arch/x86/prefix/unlzma.S): a length, an LZMA stream, and a CRC-32 of that. What is unpacked has the targets of calls and jumps
/// counted from its beginning, which compresses better.
/// <para>
/// A replacement of equal length is written with the steps of the stream that was there, so that it stays as long, but for
/// some bytes, and no search for repetitions is needed.
/// </para>
/// </summary>
internal sealed class BiosPayload
{
    // Of the length, of the CRC, and what none comes near to when unpacked.
    private const int LengthSize = 4, CrcSize = 4, LargestUnpacked = 16 << 20, Alignment = 16;

    private readonly int _at, _length;
    private readonly List<LzmaStep> _steps;

    private BiosPayload(int at, int length, byte[] unpacked, List<LzmaStep> steps)
    {
        (_at, _length, Content, _steps) = (at, length, unpacked, steps);
    }

    /// <summary>What it unpacks to.</summary>
    public byte[] Content { get; }

    /// <summary>All in a file.</summary>
    public static IEnumerable<BiosPayload> FindIn(ReadOnlyMemory<byte> file)
    {
        for (var at = 0; at + LengthSize + CrcSize < file.Length; at += Alignment)
        {
            var length = BinaryPrimitives.ReadUInt32LittleEndian(file.Span[at..]);
            if (length is <= CrcSize + 5 || length > file.Length - at - LengthSize)
                continue;
            var stream = file.Slice(at + LengthSize, (int)length - CrcSize);
            // It is not inverted at its end, as CRC-32 otherwise is.
            if (stream.Span[0] != 0 || ~Crc32.HashToUInt32(stream.Span) != BinaryPrimitives.ReadUInt32LittleEndian(file.Span[(at + LengthSize + stream.Length)..]))
                continue;
            var (unpacked, steps) = Unpack(stream);
            yield return new BiosPayload(at, (int)length, FromAbsolute(unpacked), steps);
            at += ((int)length + LengthSize - 1) / Alignment * Alignment;
        }
    }

    /// <summary>A copy of the file with <see cref="Content"/>, as it is now, in the place of what was there.</summary>
    /// <exception cref="InvalidDataException">It takes more room than there is.</exception>
    public byte[] WriteInto(ReadOnlySpan<byte> file)
    {
        var stream = Pack(ToAbsolute(Content), _steps);
        var length = stream.Length + CrcSize;
        var isLast = _at + LengthSize + _length == file.Length;
        if (length > _length && !isLast)
            throw new InvalidDataException($"what is changed takes {length} bytes, and there is room for {_length}");
        var result = new byte[Math.Max(file.Length, _at + LengthSize + length)];
        file.CopyTo(result);
        var place = result.AsSpan(_at);
        BinaryPrimitives.WriteInt32LittleEndian(place, length);
        stream.CopyTo(place[LengthSize..]);
        BinaryPrimitives.WriteUInt32LittleEndian(place[(LengthSize + stream.Length)..], ~Crc32.HashToUInt32(stream));
        return result;
    }

    private static (byte[] Unpacked, List<LzmaStep> Steps) Unpack(ReadOnlyMemory<byte> packed)
    {
        var stream = new LzmaStream<LzmaDecoder>(new(packed));
        var (data, at, steps) = (new byte[LargestUnpacked], 0, new List<LzmaStep>());
        while (true)
        {
            if (at == data.Length)
                throw new InvalidDataException($"the LZMA stream unpacks to more than {LargestUnpacked} bytes");
            var step = stream.Next(default, data, at);
            if (step.IsEnd)
                return (data[..at], steps);
            steps.Add(step);
            if (step.IsLiteral)
                at++;
            for (var (i, from) = (0, step.IsLiteral ? 0 : LzmaStream<LzmaDecoder>.Back(at, step.Distance)); i < step.Length && at < data.Length; i++)
                data[at++] = data[from++];
        }
    }

    private static byte[] Pack(byte[] data, List<LzmaStep> steps)
    {
        var encoder = new LzmaEncoder();
        var stream = new LzmaStream<LzmaEncoder>(encoder);
        var at = 0;
        foreach (var step in steps)
        {
            var isCopy = !step.IsLiteral && IsCopy(data, at, step) && (step.Length > 1 || stream.CanRepeatByte(step.Distance));
            for (var end = at + Math.Max(step.Length, 1); at < end;)
            {
                stream.Next(isCopy ? step : LzmaStep.Literal, data, at);
                at += isCopy ? step.Length : 1;
            }
        }
        stream.Next(new(uint.MaxValue, 2), data, at);
        return encoder.Finish();
    }

    private static bool IsCopy(byte[] data, int at, LzmaStep step)
    {
        for (var i = at; i < at + step.Length; i++)
        {
            if (data[i] != data[i - (int)step.Distance - 1])
                return false;
        }
        return true;
    }

    // Targets outside of the code change places with those that would otherwise come out as they do: each way has one way back.
    private static byte[] ToAbsolute(byte[] code) => Convert(code, (target, at, limit) =>
        target >= -at && target < limit - at ? target + at : target >= limit - at && target < limit ? target - limit : target);

    private static byte[] FromAbsolute(byte[] code) => Convert(code, (target, at, limit) =>
        target >= 0 && target < limit ? target - at : target < 0 && target >= -at ? target + limit : target);

    /// <summary>Changes the operands of CALL rel32 (E8) and JMP rel32 (E9).</summary>
    private static byte[] Convert(byte[] code, Func<int, int, int, int> target)
    {
        var result = (byte[])code.Clone();
        var limit = result.Length - 5;
        for (var at = 0; at <= limit; at++)
        {
            if (result[at] is not (0xE8 or 0xE9))
                continue;
            var operand = result.AsSpan(at + 1);
            BinaryPrimitives.WriteInt32LittleEndian(operand, target(BinaryPrimitives.ReadInt32LittleEndian(operand), at, limit));
            at += sizeof(int);
        }
        return result;
    }
}
