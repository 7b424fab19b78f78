namespace Slipway.Fleet.Credentials;

/// <summary>A certificate that was issued for a machine. Its key went to whoever asked for it and is kept nowhere here.</summary>
/// <param name="Serial">Hexadecimal, as X.509 tools print it; what a certificate is found by.</param>
/// <param name="Machine">The name of the machine that whoever shows it is.</param>
/// <param name="Approval">
/// What becomes of a machine that shows it and is not known yet, as JSON of the server's; null where the certificate is
/// of a machine that was there before.
/// </param>
public sealed record ClientCertificate(
    string Serial, string Machine, DateTimeOffset Issued, DateTimeOffset Ends, DateTimeOffset? Revoked = null, string? Approval = null);
