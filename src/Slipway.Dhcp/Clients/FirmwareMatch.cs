using Slipway.Dhcp.Wire;

namespace Slipway.Dhcp.Clients;

/// <summary>Which clients a quirk is about: all that is given must hold.</summary>
public sealed record FirmwareMatch
{
    public ClientKind? Kind { get; init; }

    public ClientArchitecture? Architecture { get; init; }

    /// <summary>The first three bytes of the hardware address, as IEEE gave them to the maker.</summary>
    public IReadOnlyList<uint> Makers { get; init; } = [];

    public IReadOnlyList<Guid> Uuids { get; init; } = [];

    public bool Matches(DhcpClient client) =>
        (Kind is null || client.Kind == Kind)
        && (Architecture is null || client.Architecture == Architecture)
        && (Makers.Count == 0 || Makers.Contains(MakerOf(client.Hardware)))
        && (Uuids.Count == 0 || (client.Uuid is { } uuid && Uuids.Contains(uuid)));

    private static uint MakerOf(HardwareAddress hardware)
    {
        Span<byte> bytes = stackalloc byte[HardwareAddress.MaxLength];
        hardware.CopyTo(bytes);
        return hardware.Length < 3 ? uint.MaxValue : (uint)(bytes[0] << 16 | bytes[1] << 8 | bytes[2]);
    }
}
