using System.Buffers;
using System.Buffers.Binary;

namespace Slipway.Server.Https;

/// <summary>
/// What a client offers in the first message of a handshake (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2), as far as it decides
/// which kind of certificate it can verify. Bytes that are no ClientHello offer nothing.
/// </summary>
internal static class ClientHello
{
    private const byte HandshakeRecord = 22, ClientHelloMessage = 1;
    private const ushort SupportedGroups = 10, SignatureAlgorithms = 13, SupportedVersions = 43;
    private const ushort Tls13 = 0x0304, Secp256r1 = 0x0017, EcdsaSecp256r1Sha256 = 0x0403, RsaPkcs1Sha256 = 0x0401;

    // ECDHE-ECDSA with AES-GCM and with ChaCha20 (RFC 5289 §3.2, RFC 7905 §2).
    private static ReadOnlySpan<ushort> EcdsaSuites => [0xC02B, 0xC02C, 0xCCA9];

    /// <summary>
    /// Whether the client verifies a server that has an ECDSA key on P-256 and a certificate that an RSA key signed. iPXE
    /// before 2.0 does not, and would break off.
    /// </summary>
    /// <param name="records">From the first byte of the connection; the message must lie in one record, as it does but for oddities.</param>
    public static bool OffersEcdsa(ReadOnlySequence<byte> records) =>
        OffersEcdsa(records.IsSingleSegment ? records.FirstSpan : records.ToArray());

    internal static bool OffersEcdsa(ReadOnlySpan<byte> bytes)
    {
        var record = new Reader(bytes);
        if (record.Byte() != HandshakeRecord)
            return false;
        record.Skip(2);
        var handshake = record.Vector16();
        if (handshake.Byte() != ClientHelloMessage)
            return false;
        var hello = handshake.Vector24();
        hello.Skip(2 + 32);
        hello.Vector8();
        var suites = hello.Vector16();
        hello.Vector8();
        var extensions = hello.Vector16();
        bool tls13 = false, ecdsa = false, rsa = false, p256 = false, signatures = false;
        while (extensions.Any)
        {
            var type = extensions.UInt16();
            var body = extensions.Vector16();
            switch (type)
            {
                case SupportedVersions:
                    tls13 = body.Vector8().Holds(Tls13);
                    break;
                case SignatureAlgorithms:
                    var list = body.Vector16();
                    (signatures, ecdsa, rsa) = (true, list.Holds(EcdsaSecp256r1Sha256), list.Holds(RsaPkcs1Sha256));
                    break;
                case SupportedGroups:
                    p256 = body.Vector16().Holds(Secp256r1);
                    break;
            }
        }
        // In TLS 1.3 suites and groups say nothing of certificates (RFC 8446 §4.2.3, §B.4).
        return !record.Failed && !handshake.Failed && !hello.Failed && !extensions.Failed
            && signatures && ecdsa && rsa && (tls13 || (p256 && suites.HoldsAny(EcdsaSuites)));
    }

    /// <summary>Reads fields one after the other; where one is cut short it, and all after it, are empty.</summary>
    private ref struct Reader(ReadOnlySpan<byte> bytes)
    {
        private ReadOnlySpan<byte> _left = bytes;

        public bool Failed { get; private set; }

        public readonly bool Any => _left.Length > 0;

        public byte Byte() => Take(1) is [var value] ? value : (byte)0;

        public ushort UInt16() => Take(2) is { Length: 2 } value ? BinaryPrimitives.ReadUInt16BigEndian(value) : (ushort)0;

        public void Skip(int count) => Take(count);

        public Reader Vector8() => new(Take(Byte()));

        public Reader Vector16() => new(Take(UInt16()));

        public Reader Vector24() => new(Take((Byte() << 16) | UInt16()));

        /// <summary>Whether a list of 16-bit numbers, as it is left, has one.</summary>
        public readonly bool Holds(ushort wanted) => HoldsAny([wanted]);

        public readonly bool HoldsAny(ReadOnlySpan<ushort> wanted)
        {
            for (var i = 0; i + 1 < _left.Length; i += 2)
            {
                if (wanted.Contains(BinaryPrimitives.ReadUInt16BigEndian(_left[i..])))
                    return true;
            }
            return false;
        }

        private ReadOnlySpan<byte> Take(int count)
        {
            if (Failed || count > _left.Length)
            {
                Failed = true;
                _left = [];
                return [];
            }
            var taken = _left[..count];
            _left = _left[count..];
            return taken;
        }
    }
}
