using System.Text;

namespace Slipway.Iscsi.Chap;

/// <summary>A CHAP name and its secret. The secret is taken as UTF-8 and never printed.</summary>
public sealed record ChapAccount
{
    /// <summary>RFC 7143 §9.2.1: 96 bits at least where nothing else protects the connection.</summary>
    public const int MinSecretBytes = 12;

    public const int MaxSecretBytes = 255;

    /// <summary>RFC 7143 §6.1: a text value is at most 255 bytes.</summary>
    public const int MaxNameBytes = 255;

    public ChapAccount(string name, string secret)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(secret);
        if (Encoding.UTF8.GetByteCount(name) is 0 or > MaxNameBytes)
            throw new ArgumentException($"a CHAP name has 1 to {MaxNameBytes} bytes", nameof(name));
        if (name.Contains('\0'))
            throw new ArgumentException("a CHAP name has no zero byte", nameof(name));
        var length = Encoding.UTF8.GetByteCount(secret);
        if (length is < MinSecretBytes or > MaxSecretBytes)
            throw new ArgumentException($"a CHAP secret has {MinSecretBytes} to {MaxSecretBytes} bytes; this one has {length}", nameof(secret));
        Name = name;
        Secret = secret;
    }

    public string Name { get; }

    public string Secret { get; }

    public override string ToString() => $"{Name} (secret hidden)";
}
