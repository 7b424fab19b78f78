using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Slipway.Iscsi.Digests;

/// <summary>
/// CRC32C of three neighbouring streams at once. The instruction takes a new operand each cycle and gives its result three
/// cycles later, so that a single chain leaves two thirds of its rate unused. The three remainders become one by
/// carry-less multiplication (V. Gopal et al., "Fast CRC Computation for iSCSI Polynomial Using CRC32 Instruction", Intel, 2011).
/// </summary>
internal static class Crc32CStreams
{
    // Two lengths, so that a segment of 4 KiB is covered but for its last 256 bytes.
    private const int Long = 1024, Short = 256;
    private static readonly ulong LongOnce = ShiftBy(Long), LongTwice = ShiftBy(2 * Long);
    private static readonly ulong ShortOnce = ShiftBy(Short), ShortTwice = ShiftBy(2 * Short);

    /// <summary>Takes whole triples of streams from the front of <paramref name="bytes"/> and gives the state after them.</summary>
    public static uint Append(uint state, ref ReadOnlySpan<byte> bytes)
    {
        state = Append(state, ref bytes, Long, LongOnce, LongTwice);
        return Append(state, ref bytes, Short, ShortOnce, ShortTwice);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Append(uint state, ref ReadOnlySpan<byte> bytes, int length, ulong once, ulong twice)
    {
        while (bytes.Length >= 3 * length)
        {
            ref var start = ref MemoryMarshal.GetReference(bytes);
            ulong first = state, second = 0, third = 0;
            for (nint at = 0; at < length; at += sizeof(ulong))
            {
                first = Sse42.X64.Crc32(first, Word(ref start, at));
                second = Sse42.X64.Crc32(second, Word(ref start, at + length));
                third = Sse42.X64.Crc32(third, Word(ref start, at + (2 * length)));
            }
            // One reduction serves both products, since CRC32 of a XOR is the XOR of the CRC32s when the state is zero.
            var product = Product(first, twice) ^ Product(second, once);
            state = (uint)(Sse42.X64.Crc32(0, product) ^ third);
            bytes = bytes[(3 * length)..];
        }
        return state;
    }

    private static ulong Word(ref byte start, nint at) => Unsafe.ReadUnaligned<ulong>(ref Unsafe.AddByteOffset(ref start, at));

    private static ulong Product(ulong state, ulong shift) =>
        Pclmulqdq.CarrylessMultiply(Vector128.CreateScalar(state), Vector128.CreateScalar(shift), 0).ToScalar();

    /// <summary>
    /// x^(8·<paramref name="bytes"/> - 33) modulo the polynomial, reflected. Multiplied by it, and reduced by CRC32, which itself
    /// multiplies by x^32 (and reflection by x), a state is the state after that many zero bytes.
    /// </summary>
    private static ulong ShiftBy(int bytes)
    {
        var power = 0x80000000u;
        for (var bit = 0; bit < (8 * bytes) - 33; bit++)
            power = (power & 1) != 0 ? (power >> 1) ^ Crc32C.Polynomial : power >> 1;
        return power;
    }
}
