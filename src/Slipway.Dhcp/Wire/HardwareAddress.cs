namespace Slipway.Dhcp.Wire;

/// <summary>htype and chaddr of a message (RFC 2131 §2): one value, so that it can be a key.</summary>
public readonly record struct HardwareAddress
{
    public const int MaxLength = 16;
    public const byte Ethernet = 1;

    private const string Digits = "0123456789abcdef";

    private readonly UInt128 _bytes;

    public HardwareAddress(byte type, ReadOnlySpan<byte> address)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(address.Length, MaxLength);
        Type = type;
        Length = (byte)address.Length;
        foreach (var b in address)
            _bytes = (_bytes << 8) | b;
    }

    /// <summary>ARP hardware type; 1 is Ethernet.</summary>
    public byte Type { get; }

    public byte Length { get; }

    public void CopyTo(Span<byte> destination)
    {
        var rest = _bytes;
        for (var i = Length - 1; i >= 0; i--, rest >>= 8)
            destination[i] = (byte)rest;
    }

    public byte[] ToArray()
    {
        var bytes = new byte[Length];
        CopyTo(bytes);
        return bytes;
    }

    /// <summary>An Ethernet address written with colons or hyphens, or with nothing between its digits.</summary>
    public static HardwareAddress Parse(string text) =>
        TryParse(text, out var address) ? address : throw new FormatException($"'{text}' is not an Ethernet address");

    public static bool TryParse(string text, out HardwareAddress address)
    {
        address = default;
        var digits = text.Replace(":", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal);
        if (digits.Length != 12 || !digits.All(char.IsAsciiHexDigit))
            return false;
        address = new HardwareAddress(Ethernet, Convert.FromHexString(digits));
        return true;
    }

    public override string ToString() => Length == 0 ? "" : string.Create(Length * 3 - 1, this, static (text, address) =>
    {
        Span<byte> bytes = stackalloc byte[MaxLength];
        address.CopyTo(bytes);
        for (var i = 0; i < address.Length; i++)
        {
            if (i > 0)
                text[i * 3 - 1] = ':';
            text[i * 3] = Digits[bytes[i] >> 4];
            text[i * 3 + 1] = Digits[bytes[i] & 0xF];
        }
    });
}
