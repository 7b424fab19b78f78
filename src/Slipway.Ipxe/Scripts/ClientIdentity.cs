namespace Slipway.Ipxe.Scripts;

/// <summary>What iPXE shows a server that asks for a client certificate.</summary>
/// <param name="Name">For people.</param>
/// <param name="Certificate">DER of the certificate.</param>
/// <param name="Key">DER of its RSA key, PKCS#1 (RFC 8017 §A.1.2): the one form that every iPXE reads.</param>
public sealed record ClientIdentity(string Name, byte[] Certificate, byte[] Key);
