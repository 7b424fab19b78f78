using Slipway.Dhcp.Networks;
using Slipway.Dhcp.Wire;

namespace Slipway.Dhcp.Leases;

/// <summary>What makes two messages the same client's: its network card, or its client identifier.</summary>
internal readonly record struct ClientKey(HardwareAddress Hardware, string? ClientId)
{
    public static ClientKey Of(ClientIdentity identity, HardwareAddress hardware, ReadOnlyMemory<byte> clientId)
    {
        // Without a hardware address (InfiniBand, RFC 4390) only the identifier is left.
        var byId = identity == ClientIdentity.ClientIdentifier || hardware.Length == 0;
        if (!byId || clientId.IsEmpty || IsHardware(clientId.Span, hardware))
            return new ClientKey(hardware, null);
        return new ClientKey(default, Convert.ToHexString(clientId.Span));
    }

    // Type and hardware address is what RFC 2132 §9.14 proposes, and iPXE sends: the same client as without it.
    private static bool IsHardware(ReadOnlySpan<byte> clientId, HardwareAddress hardware)
    {
        if (clientId.Length != hardware.Length + 1 || clientId[0] != hardware.Type)
            return false;
        Span<byte> bytes = stackalloc byte[HardwareAddress.MaxLength];
        hardware.CopyTo(bytes);
        return clientId[1..].SequenceEqual(bytes[..hardware.Length]);
    }
}
