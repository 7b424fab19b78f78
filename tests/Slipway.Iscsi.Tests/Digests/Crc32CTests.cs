using System.IO.Hashing;
using CsCheck;
using Slipway.Iscsi.Digests;

namespace Slipway.Iscsi.Tests.Digests;

public class Crc32CTests
{
    /// <summary>The examples of RFC 7143, appendix A.4, as the number whose bytes go on the wire from the least significant on.</summary>
    [Fact]
    public void Examples_of_the_standard()
    {
        var ascending = Enumerable.Range(0, 32).Select(n => (byte)n).ToArray();
        Assert.Equal(0x8A9136AAu, Crc32C.Compute(new byte[32]));
        Assert.Equal(0x62A8AB43u, Crc32C.Compute([.. Enumerable.Repeat((byte)0xFF, 32)]));
        Assert.Equal(0x46DD794Eu, Crc32C.Compute(ascending));
        Assert.Equal(0x113FDB5Cu, Crc32C.Compute([.. ascending.Reverse()]));
    }

    /// <summary>Whatever the length, which decides how many streams are read at once, and wherever the bytes are divided.</summary>
    [Fact]
    public void Agrees_with_the_library()
    {
        Gen.Select(Gen.Int[0, 9000], Gen.Int[0, int.MaxValue - 1]).Sample((length, seed) =>
        {
            var random = new Random(seed);
            var bytes = new byte[length];
            random.NextBytes(bytes);
            var split = random.Next(length + 1);
            var expected = ~Crc32.HashToUInt32(Crc32ParameterSet.Crc32C, bytes);
            Assert.Equal(expected, Crc32C.Append(Crc32C.Seed, bytes));
            Assert.Equal(expected, Crc32C.Append(Crc32C.Append(Crc32C.Seed, bytes.AsSpan(0, split)), bytes.AsSpan(split)));
        }, iter: 300);
    }
}
