using System.Net;
using System.Net.Security;

namespace Slipway.Server.Https;

/// <summary>Where TLS is spoken, and to whom.</summary>
/// <param name="ForFirmware">
/// Firmware fetches its boot program here (<c>http-boot: https</c>). edk2 as it was built until 2023 knows no elliptic curves,
/// and .NET no Diffie-Hellman without them: what is left to both is RSA key exchange, which has no forward secrecy. Whoever
/// knows better does not get it, since the server chooses, and the better ones come first.
/// </param>
internal sealed record TlsEndPoint(IPEndPoint Address, bool ForFirmware = false)
{
    private static readonly TlsCipherSuite[] Modern =
    [
        TlsCipherSuite.TLS_AES_128_GCM_SHA256,
        TlsCipherSuite.TLS_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ];

    private static readonly TlsCipherSuite[] OldFirmware = [TlsCipherSuite.TLS_RSA_WITH_AES_256_GCM_SHA384, TlsCipherSuite.TLS_RSA_WITH_AES_128_GCM_SHA256];

    /// <summary>Authenticated encryption only. A stock iPXE has ECDHE with AES-GCM (since January 2024). Null: the system chooses.</summary>
    public CipherSuitesPolicy? Suites => OperatingSystem.IsLinux() ? new CipherSuitesPolicy(ForFirmware ? [.. Modern, .. OldFirmware] : Modern) : null;
}
