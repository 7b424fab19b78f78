namespace Slipway.Tftp.Server;

/// <summary>Why a request was not served.</summary>
/// <param name="Name">What was asked for, without control characters; empty where the request could not be read.</param>
/// <param name="Packet">The error packet to send (RFC 1350 §5).</param>
public sealed record TftpRefusal(string Name, string Reason, byte[] Packet);
