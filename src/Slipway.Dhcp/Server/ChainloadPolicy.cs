using Slipway.Dhcp.Clients;
using Slipway.Dhcp.Networks;

namespace Slipway.Dhcp.Server;

/// <summary>
/// Firmware gets iPXE for its platform, iPXE gets its script. An iPXE never gets iPXE, whatever its script is, so there
/// is no loop.
/// </summary>
/// <param name="binaries">The iPXE for a platform, as a name for TFTP; null where there is none.</param>
/// <param name="script">The script's URL, usually the same for all with iPXE's <c>${mac}</c> in it; null for none.</param>
public sealed class ChainloadPolicy(
    Func<BootPlatform, string?> binaries,
    Func<DhcpClient, DhcpNetwork, string?> script) : IBootPolicy
{
    /// <summary>Where UEFI HTTP Boot fetches the binaries, ending in a slash; null where HTTP Boot is not served.</summary>
    public Func<DhcpNetwork, string>? HttpBase { get; init; }

    /// <summary>Settings for every iPXE besides those that the network's mode needs.</summary>
    public IReadOnlyList<(byte Code, ReadOnlyMemory<byte> Value)> Ipxe { get; init; } = [];

    public BootDirections? DirectionsFor(DhcpClient client, DhcpNetwork network) => client.Kind switch
    {
        ClientKind.Ipxe => script(client, network) is { } url ? new BootDirections { FileName = url, Ipxe = Ipxe } : null,
        ClientKind.Firmware => binaries(client.Platform) is { } file ? new BootDirections { FileName = file } : null,
        ClientKind.HttpFirmware => HttpBase is not null && binaries(client.Platform) is { } file
            ? new BootDirections { FileName = HttpBase(network) + file }
            : null,
        _ => null,
    };
}
