using System.Net;
using System.Net.Sockets;
using Slipway.Dhcp.Networks;
using Slipway.Dhcp.Wire;

namespace Slipway.Dhcp.V6.Server;

/// <summary>One IPv6 subnet, as an operator describes it. Routers are not told of here: hosts learn them from router advertisements.</summary>
public sealed record Dhcp6Network
{
    public required string Name { get; init; }

    public required IPNetwork Subnet { get; init; }

    /// <summary>This server's address as machines of the network reach it: where boot files and scripts are.</summary>
    public required IPAddress ServerAddress { get; init; }

    /// <summary>The interface whose link it is. Null for a network that is reached by relays only.</summary>
    public string? Interface { get; init; }

    /// <summary>With <see cref="NetworkMode.Proxy"/> only Information-requests are answered: another server gives the addresses.</summary>
    public NetworkMode Mode { get; init; } = NetworkMode.Authoritative;

    public ClientIdentity Identity { get; init; } = ClientIdentity.HardwareAddress;

    /// <summary>The first and the last address to give; null: reserved ones only.</summary>
    public (IPAddress First, IPAddress Last)? Pool { get; init; }

    /// <summary>Addresses of machines that are known by their network card.</summary>
    public IReadOnlyDictionary<HardwareAddress, IPAddress> Reservations { get; init; } = new Dictionary<HardwareAddress, IPAddress>();

    public IReadOnlyList<IPAddress> DnsServers { get; init; } = [];

    public string? DomainName { get; init; }

    /// <summary>Valid and preferred lifetime.</summary>
    public TimeSpan LeaseTime { get; init; } = TimeSpan.FromHours(12);

    /// <summary>How long an address that a client declined is not given out.</summary>
    public TimeSpan Quarantine { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Throws with a sentence for the operator where the description contradicts itself.</summary>
    public void Check()
    {
        if (Subnet.BaseAddress.AddressFamily != AddressFamily.InterNetworkV6)
            throw new ArgumentException($"network {Name}: {Subnet} is no IPv6 subnet");
        if (Interface is not null && !Subnet.Contains(ServerAddress))
            throw new ArgumentException($"network {Name}: the server's address {ServerAddress} is outside {Subnet}");
        if (Pool is { } pool && (!Subnet.Contains(pool.First) || !Subnet.Contains(pool.Last) || Ipv6.Number(pool.First) > Ipv6.Number(pool.Last)))
            throw new ArgumentException($"network {Name}: the pool {pool.First}-{pool.Last} is not inside {Subnet}");
        foreach (var address in Reservations.Values)
        {
            if (!Subnet.Contains(address) || address.Equals(ServerAddress))
                throw new ArgumentException($"network {Name}: {address} is reserved but outside {Subnet}, or the server's own");
        }
        if (Reservations.Values.Distinct().Count() != Reservations.Count)
            throw new ArgumentException($"network {Name}: an address is reserved twice");
    }
}

/// <summary>IPv6 addresses as numbers, for arithmetic.</summary>
internal static class Ipv6
{
    public static UInt128 Number(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (!address.TryWriteBytes(bytes, out var written) || written != 16)
            throw new ArgumentException($"{address} is not an IPv6 address", nameof(address));
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    public static IPAddress Address(UInt128 number)
    {
        Span<byte> bytes = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(bytes, number);
        return new IPAddress(bytes);
    }
}
