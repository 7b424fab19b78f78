using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Slipway.Dhcp.V6.Wire;

/// <summary>
/// Options in the order of the message (RFC 8415 §21.1): two bytes of code, two of length, the value. Unlike DHCPv4's, one
/// may be there many times, and may hold others.
/// </summary>
public sealed class Dhcp6Options
{
    private const int Head = 4;
    private readonly List<(Dhcp6OptionCode Code, ReadOnlyMemory<byte> Value)> _options = [];

    public IReadOnlyList<(Dhcp6OptionCode Code, ReadOnlyMemory<byte> Value)> All => _options;

    public int Length => _options.Sum(o => Head + o.Value.Length);

    /// <summary>False where an option runs past the end. The values are slices of <paramref name="bytes"/>.</summary>
    public static bool TryRead(ReadOnlyMemory<byte> bytes, out Dhcp6Options options)
    {
        options = new();
        while (!bytes.IsEmpty)
        {
            if (bytes.Length < Head || BinaryPrimitives.ReadUInt16BigEndian(bytes.Span[2..]) is var length && length > bytes.Length - Head)
                return false;
            options.Add((Dhcp6OptionCode)BinaryPrimitives.ReadUInt16BigEndian(bytes.Span), bytes.Slice(Head, length));
            bytes = bytes[(Head + length)..];
        }
        return true;
    }

    public void Write(Span<byte> destination)
    {
        foreach (var (code, value) in _options)
        {
            BinaryPrimitives.WriteUInt16BigEndian(destination, (ushort)code);
            BinaryPrimitives.WriteUInt16BigEndian(destination[2..], checked((ushort)value.Length));
            value.Span.CopyTo(destination[Head..]);
            destination = destination[(Head + value.Length)..];
        }
    }

    public byte[] ToArray()
    {
        var bytes = new byte[Length];
        Write(bytes);
        return bytes;
    }

    /// <summary>The first of them; null where there is none.</summary>
    public ReadOnlyMemory<byte>? Find(Dhcp6OptionCode code)
    {
        foreach (var (each, value) in _options)
        {
            if (each == code)
                return value;
        }
        return null;
    }

    public bool Has(Dhcp6OptionCode code) => Find(code) is not null;

    public void Add(Dhcp6OptionCode code, ReadOnlyMemory<byte> value) => _options.Add((code, value));

    public void Add(Dhcp6OptionCode code, IEnumerable<IPAddress> addresses) => Add(code, addresses.SelectMany(a => a.GetAddressBytes()).ToArray());

    public void AddStatus(Dhcp6StatusCode status, string text)
    {
        byte[] value = [0, (byte)status, .. Encoding.UTF8.GetBytes(text)];
        Add(Dhcp6OptionCode.StatusCode, value);
    }

    /// <summary>Names as DNS has them on the wire, without compression (RFC 8415 §10).</summary>
    public void AddDomain(Dhcp6OptionCode code, string domain)
    {
        var bytes = new List<byte>();
        foreach (var label in domain.Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            var text = Encoding.ASCII.GetBytes(label);
            bytes.Add((byte)text.Length);
            bytes.AddRange(text);
        }
        bytes.Add(0);
        Add(code, bytes.ToArray());
    }

    /// <summary>The first of the texts that an option of classes holds, each with two bytes of length before it (RFC 8415 §21.15, §21.16).</summary>
    public string? ClassText(Dhcp6OptionCode code)
    {
        if (Find(code) is not { } value)
            return null;
        // A vendor's class names the vendor first.
        var rest = (code == Dhcp6OptionCode.VendorClass ? value[Math.Min(4, value.Length)..] : value).Span;
        if (rest.Length >= 2 && BinaryPrimitives.ReadUInt16BigEndian(rest) is var length && length <= rest.Length - 2)
            return Slipway.Dhcp.Wire.DhcpOptions.PrintableText(rest.Slice(2, length));
        // iPXE's user class was the bare text until 2017.
        return code == Dhcp6OptionCode.UserClass ? Slipway.Dhcp.Wire.DhcpOptions.PrintableText(rest) : null;
    }

    /// <summary>Whether the client asked for an option (RFC 8415 §21.7).</summary>
    public bool Requests(Dhcp6OptionCode code)
    {
        if (Find(Dhcp6OptionCode.OptionRequest) is not { } list)
            return false;
        for (var rest = list.Span; rest.Length >= 2; rest = rest[2..])
        {
            if (BinaryPrimitives.ReadUInt16BigEndian(rest) == (ushort)code)
                return true;
        }
        return false;
    }
}
