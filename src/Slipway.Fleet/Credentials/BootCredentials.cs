using System.Security.Cryptography;

namespace Slipway.Fleet.Credentials;

/// <summary>
/// The two CHAP secrets of one boot: the machine proves itself with <see cref="Secret"/>, the target with
/// <see cref="ReverseSecret"/> (RFC 7143 §9.2.1 wants them to differ, and 96 bits or more).
/// </summary>
public sealed record BootCredentials(string User, string Secret, string ReverseUser, string ReverseSecret)
{
    private const int SecretBytes = 16;

    /// <summary>Fresh secrets of 128 random bits, in hex: every client's parser takes those.</summary>
    public static BootCredentials Create(string machine) => new(machine, RandomText(), "slipway", RandomText());

    /// <summary>Secrets do not belong into logs.</summary>
    public override string ToString() => $"{User}/{ReverseUser}";

    private static string RandomText() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(SecretBytes));
}
