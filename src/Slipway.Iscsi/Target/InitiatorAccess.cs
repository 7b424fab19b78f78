using System.Globalization;
using System.Net;

namespace Slipway.Iscsi.Target;

/// <summary>
/// Who may use a target: by the initiator's name, and by the network it comes from. A name is only said, and proved by
/// nothing but CHAP; what is kept out here is kept out before CHAP begins.
/// </summary>
public sealed record InitiatorAccess
{
    public static InitiatorAccess Everybody { get; } = new();

    /// <summary>Names of initiators, whatever their case (RFC 7143 §4.2.7.2 has them in lower case); empty: every name.</summary>
    public IReadOnlyList<string> Initiators { get; init; } = [];

    /// <summary>Empty: every network.</summary>
    public IReadOnlyList<IPNetwork> Networks { get; init; } = [];

    public bool IsEverybody => Initiators.Count == 0 && Networks.Count == 0;

    /// <summary>Whether an initiator of this name may use the target, from where it may.</summary>
    public bool Names(string initiator) => Initiators.Count == 0 || Initiators.Contains(initiator, StringComparer.OrdinalIgnoreCase);

    /// <summary>A sentence for the log where this login is kept out; null where it may go on.</summary>
    public string? Refusal(LoginFacts facts)
    {
        if (Networks.Count > 0 && !Networks.Any(n => n.Contains(facts.Remote.Address)))
            return $"{facts.Remote.Address} is in none of the networks allowed: {string.Join(", ", Networks)}";
        if (!Names(facts.InitiatorName))
            return $"{facts.InitiatorName} is not an initiator that may use {facts.TargetName ?? "this portal"}";
        return null;
    }

    /// <summary>Reads <c>ADDRESS/BITS</c>, or an address, which is a network of one; null for anything else.</summary>
    public static IPNetwork? ParseNetwork(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var (address, bits) = slash < 0 ? (text, null) : (text[..slash], text[(slash + 1)..]);
        // IPAddress.Parse takes "10" for 0.0.0.10; who writes that means something else.
        if (!IPAddress.TryParse(address, out var parsed) || (!address.Contains(':', StringComparison.Ordinal) && address.Count(c => c == '.') != 3))
            return null;
        var all = parsed.GetAddressBytes().Length * 8;
        if (bits is null)
            return new IPNetwork(parsed, all);
        return int.TryParse(bits, NumberStyles.None, CultureInfo.InvariantCulture, out var length) && length <= all
            ? new IPNetwork(Mask(parsed, length), length)
            : null;
    }

    private static IPAddress Mask(IPAddress address, int length)
    {
        var bytes = address.GetAddressBytes();
        for (var i = 0; i < bytes.Length; i++)
            bytes[i] &= (byte)(0xFF << (8 - Math.Clamp(length - i * 8, 0, 8)));
        return new IPAddress(bytes);
    }
}
