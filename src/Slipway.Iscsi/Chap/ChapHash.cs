using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Slipway.Iscsi.Chap;

/// <summary>The response to a challenge: H(identifier, secret, challenge) (RFC 1994 §4.1).</summary>
public static class ChapHash
{
    /// <summary>RFC 7143 §12.1.3: binary values of CHAP_C and CHAP_R are at most 1024 bytes.</summary>
    public const int MaxBinaryLength = 1024;

    public static bool IsSupported(ChapAlgorithm algorithm) => algorithm switch
    {
        ChapAlgorithm.Md5 or ChapAlgorithm.Sha1 or ChapAlgorithm.Sha256 => true,
        ChapAlgorithm.Sha3_256 => SHA3_256.IsSupported,
        _ => false,
    };

    [SuppressMessage("Security", "CA5350:Do Not Use Weak Cryptographic Algorithms", Justification = "CHAP_A=6")]
    [SuppressMessage("Security", "CA5351:Do Not Use Broken Cryptographic Algorithms", Justification = "CHAP_A=5, all that iPXE has")]
    public static byte[] Respond(ChapAlgorithm algorithm, byte identifier, string secret, ReadOnlySpan<byte> challenge)
    {
        byte[] message = [identifier, .. Encoding.UTF8.GetBytes(secret), .. challenge];
        try
        {
            return algorithm switch
            {
                ChapAlgorithm.Md5 => MD5.HashData(message),
                ChapAlgorithm.Sha1 => SHA1.HashData(message),
                ChapAlgorithm.Sha256 => SHA256.HashData(message),
                ChapAlgorithm.Sha3_256 => SHA3_256.HashData(message),
                _ => throw new ArgumentOutOfRangeException(nameof(algorithm)),
            };
        }
        finally
        {
            CryptographicOperations.ZeroMemory(message);
        }
    }

    public static int Size(ChapAlgorithm algorithm) => algorithm switch
    {
        ChapAlgorithm.Md5 => MD5.HashSizeInBytes,
        ChapAlgorithm.Sha1 => SHA1.HashSizeInBytes,
        _ => SHA256.HashSizeInBytes,
    };
}
