using System.Buffers;
using System.Buffers.Binary;
using CsCheck;
using Slipway.Server.Https;

namespace Slipway.Server.Tests.Https;

public class ClientHelloTests
{
    private const ushort EcdheEcdsaAes128 = 0xC02B, EcdheRsaAes128 = 0xC02F, P256 = 23, X25519 = 29, Ecdsa = 0x0403, Rsa = 0x0401, Tls12 = 0x0303, Tls13 = 0x0304;

    private static readonly byte[] Modern = Hello([0x1301, EcdheEcdsaAes128], [P256], [Ecdsa, Rsa], [Tls13, Tls12]);

    [Fact]
    public void What_is_offered_decides()
    {
        Assert.True(ClientHello.OffersEcdsa(Modern));
        Assert.True(ClientHello.OffersEcdsa(Hello([0x1301], [X25519], [Ecdsa, Rsa], [Tls13])));
        Assert.True(ClientHello.OffersEcdsa(Hello([EcdheRsaAes128, EcdheEcdsaAes128], [X25519, P256], [Rsa, Ecdsa], [])));
        // RSA suites only, another curve only, RSA signatures only, no RSA signature (the chain has one), and no word of signatures.
        Assert.False(ClientHello.OffersEcdsa(Hello([EcdheRsaAes128], [P256], [Ecdsa, Rsa], [])));
        Assert.False(ClientHello.OffersEcdsa(Hello([EcdheEcdsaAes128], [X25519], [Ecdsa, Rsa], [])));
        Assert.False(ClientHello.OffersEcdsa(Hello([0x1301, EcdheEcdsaAes128], [P256], [Rsa], [Tls13])));
        Assert.False(ClientHello.OffersEcdsa(Hello([0x1301, EcdheEcdsaAes128], [P256], [Ecdsa], [Tls13])));
        Assert.False(ClientHello.OffersEcdsa(Hello([EcdheEcdsaAes128], [P256], [], [])));
    }

    [Fact]
    public void A_hello_that_is_cut_short_offers_nothing()
    {
        for (var length = 0; length < Modern.Length; length++)
            Assert.False(ClientHello.OffersEcdsa(Modern.AsSpan(0, length)));
    }

    [Fact]
    public void Segments_make_no_difference()
    {
        var first = new Segment(Modern.AsMemory(0, 60), null);
        var last = new Segment(Modern.AsMemory(60), first);
        Assert.True(ClientHello.OffersEcdsa(new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length)));
    }

    [Fact]
    public void Any_bytes_are_answered() =>
        Gen.Select(Gen.Byte.Array[0, 300], Gen.Int[0, 10].SelectMany(n => Gen.Select(Gen.Int[0, Modern.Length - 1], Gen.Byte).Array[n])).Sample((noise, changes) =>
        {
            _ = ClientHello.OffersEcdsa(noise);
            var changed = Modern.ToArray();
            foreach (var (at, value) in changes)
                changed[at] = value;
            _ = ClientHello.OffersEcdsa(changed);
        }, iter: 20_000);

    private static byte[] Hello(ushort[] suites, ushort[] groups, ushort[] signatures, ushort[] versions)
    {
        byte[] extensions =
        [
            .. Extension(0, Vector16([0, .. Vector16("boot"u8)])),
            .. groups.Length > 0 ? Extension(10, Vector16(Numbers(groups))) : [],
            .. signatures.Length > 0 ? Extension(13, Vector16(Numbers(signatures))) : [],
            .. versions.Length > 0 ? Extension(43, [(byte)(2 * versions.Length), .. Numbers(versions)]) : [],
        ];
        byte[] body = [3, 3, .. new byte[32], 0, .. Vector16(Numbers(suites)), 1, 0, .. Vector16(extensions)];
        return [22, 3, 1, .. Vector16([1, 0, .. Vector16(body)])];
    }

    private static byte[] Extension(ushort type, byte[] body) => [.. Numbers([type]), .. Vector16(body)];

    private static byte[] Vector16(ReadOnlySpan<byte> content) => [.. Numbers([(ushort)content.Length]), .. content];

    private static byte[] Numbers(ushort[] values)
    {
        var bytes = new byte[2 * values.Length];
        for (var i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2 * i), values[i]);
        return bytes;
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, Segment? before)
        {
            Memory = memory;
            if (before is null)
                return;
            RunningIndex = before.RunningIndex + before.Memory.Length;
            before.Next = this;
        }
    }
}
