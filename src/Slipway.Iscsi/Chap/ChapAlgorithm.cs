namespace Slipway.Iscsi.Chap;

/// <summary>CHAP_A (RFC 7143 §12.1.3; numbers of IANA's PPP authentication algorithms registry).</summary>
public enum ChapAlgorithm : byte
{
    Md5 = 5,
    Sha1 = 6,
    Sha256 = 7,
    Sha3_256 = 8,
}
