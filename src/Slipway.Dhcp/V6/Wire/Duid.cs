using System.Buffers.Binary;
using Slipway.Dhcp.Wire;

namespace Slipway.Dhcp.V6.Wire;

/// <summary>What tells one client, or server, from all others (RFC 8415 §11).</summary>
public static class Duid
{
    /// <summary>§11.1.</summary>
    public const int MaxLength = 130;

    private const ushort LinkLayerTime = 1, LinkLayer = 3, UniqueId = 4;

    /// <summary>DUID-LL (§11.4): for a server it is stable without a place to keep it.</summary>
    public static byte[] Of(HardwareAddress hardware) => [0, (byte)LinkLayer, 0, hardware.Type, .. hardware.ToArray()];

    /// <summary>The card that a DUID was made from, be it the one that asks or another of the same machine; default where it names none.</summary>
    public static HardwareAddress HardwareOf(ReadOnlySpan<byte> duid)
    {
        if (duid.Length < 4)
            return default;
        var address = BinaryPrimitives.ReadUInt16BigEndian(duid) switch
        {
            LinkLayerTime when duid.Length > 8 => duid[8..],
            LinkLayer => duid[4..],
            _ => [],
        };
        return address.Length is 0 or > HardwareAddress.MaxLength || duid[2] != 0 ? default : new HardwareAddress(duid[3], address);
    }

    /// <summary>SMBIOS' UUID, which UEFI's and iPXE's DUIDs are made from (RFC 6355): in SMBIOS' own byte order, as in DHCPv4's option 97.</summary>
    public static Guid? UuidOf(ReadOnlySpan<byte> duid) =>
        duid.Length == 18 && BinaryPrimitives.ReadUInt16BigEndian(duid) == UniqueId ? new Guid(duid[2..]) : null;
}
