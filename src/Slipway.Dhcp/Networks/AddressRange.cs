using System.Buffers.Binary;
using System.Net;

namespace Slipway.Dhcp.Networks;

/// <summary>Addresses from <see cref="First"/> to <see cref="Last"/>, both included.</summary>
public readonly record struct AddressRange
{
    public AddressRange(IPAddress first, IPAddress last)
    {
        FirstNumber = Ipv4.Number(first);
        LastNumber = Ipv4.Number(last);
        if (FirstNumber > LastNumber)
            throw new ArgumentException($"the range ends at {last}, before it begins at {first}", nameof(last));
    }

    public IPAddress First => Ipv4.Address(FirstNumber);

    public IPAddress Last => Ipv4.Address(LastNumber);

    internal uint FirstNumber { get; }

    internal uint LastNumber { get; }

    internal bool Contains(uint number) => number >= FirstNumber && number <= LastNumber;

    public override string ToString() => $"{First}-{Last}";
}

/// <summary>IPv4 addresses as numbers, for arithmetic.</summary>
internal static class Ipv4
{
    public static uint Number(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[4];
        if (!address.TryWriteBytes(bytes, out var written) || written != 4)
            throw new ArgumentException($"{address} is not an IPv4 address", nameof(address));
        return BinaryPrimitives.ReadUInt32BigEndian(bytes);
    }

    public static IPAddress Address(uint number)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, number);
        return new IPAddress(bytes);
    }
}
