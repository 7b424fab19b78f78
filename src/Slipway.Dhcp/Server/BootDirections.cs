using System.Net;

namespace Slipway.Dhcp.Server;

/// <summary>What a client is told to boot.</summary>
public sealed record BootDirections
{
    /// <summary>siaddr; this server's address on the client's network where null.</summary>
    public IPAddress? NextServer { get; init; }

    /// <summary>A name for TFTP, or a URI.</summary>
    public required string FileName { get; init; }

    /// <summary>Option 17.</summary>
    public string? RootPath { get; init; }

    /// <summary>Option 175's settings, see <see cref="IpxeSettings"/>. For iPXE only.</summary>
    public IReadOnlyList<(byte Code, ReadOnlyMemory<byte> Value)> Ipxe { get; init; } = [];
}
