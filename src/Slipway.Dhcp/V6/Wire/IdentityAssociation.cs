using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace Slipway.Dhcp.V6.Wire;

/// <summary>An IA_NA (RFC 8415 §21.4): a client's name for one of its addresses, and the address.</summary>
/// <param name="Id">IAID, chosen by the client.</param>
/// <param name="Addresses">Those that it has, or wishes for.</param>
public sealed record IdentityAssociation(uint Id, IReadOnlyList<IPAddress> Addresses)
{
    private const int Head = 12, AddressHead = 24;

    public static bool TryRead(ReadOnlyMemory<byte> value, [NotNullWhen(true)] out IdentityAssociation? association)
    {
        association = null;
        if (value.Length < Head || !Dhcp6Options.TryRead(value[Head..], out var options))
            return false;
        var addresses = options.All.Where(o => o.Code == Dhcp6OptionCode.IdentityAddress && o.Value.Length >= AddressHead)
            .Select(o => new IPAddress(o.Value.Span[..16])).ToList();
        association = new(BinaryPrimitives.ReadUInt32BigEndian(value.Span), addresses);
        return true;
    }

    /// <summary>The option's value with an address to use; T1 and T2 as §14.2 recommends: a half and four fifths.</summary>
    public static byte[] Write(uint id, IPAddress address, TimeSpan lifetime)
    {
        var options = new Dhcp6Options();
        options.Add(Dhcp6OptionCode.IdentityAddress, Address(address, lifetime));
        return Write(id, lifetime, options);
    }

    /// <summary>With addresses that are to be used no more.</summary>
    public static byte[] WriteEnded(uint id, IEnumerable<IPAddress> addresses)
    {
        var options = new Dhcp6Options();
        foreach (var address in addresses)
            options.Add(Dhcp6OptionCode.IdentityAddress, Address(address, TimeSpan.Zero));
        return Write(id, TimeSpan.Zero, options);
    }

    public static byte[] WriteStatus(uint id, Dhcp6StatusCode status, string text)
    {
        var options = new Dhcp6Options();
        options.AddStatus(status, text);
        return Write(id, TimeSpan.Zero, options);
    }

    private static byte[] Write(uint id, TimeSpan lifetime, Dhcp6Options options)
    {
        var value = new byte[Head + options.Length];
        var seconds = (uint)lifetime.TotalSeconds;
        BinaryPrimitives.WriteUInt32BigEndian(value, id);
        BinaryPrimitives.WriteUInt32BigEndian(value.AsSpan(4), seconds / 2);
        BinaryPrimitives.WriteUInt32BigEndian(value.AsSpan(8), (uint)(seconds * 4UL / 5));
        options.Write(value.AsSpan(Head));
        return value;
    }

    private static byte[] Address(IPAddress address, TimeSpan lifetime)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            throw new ArgumentException($"{address} is not an IPv6 address", nameof(address));
        var value = new byte[AddressHead];
        address.TryWriteBytes(value, out _);
        BinaryPrimitives.WriteUInt32BigEndian(value.AsSpan(16), (uint)lifetime.TotalSeconds);
        BinaryPrimitives.WriteUInt32BigEndian(value.AsSpan(20), (uint)lifetime.TotalSeconds);
        return value;
    }
}
