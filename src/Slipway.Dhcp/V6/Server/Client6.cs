using System.Buffers.Binary;
using System.Net;
using Slipway.Dhcp.Clients;
using Slipway.Dhcp.V6.Wire;
using Slipway.Dhcp.Wire;

namespace Slipway.Dhcp.V6.Server;

/// <summary>What a message of DHCPv6 tells about its sender, in the words of DHCPv4's: a machine is the same by either.</summary>
internal static class Client6
{
    /// <param name="relay">The relay next to the client, where there is one.</param>
    public static DhcpClient From(Dhcp6Message message, Relay6? relay, IPAddress source)
    {
        var duid = (message.Options.Find(Dhcp6OptionCode.ClientIdentifier) ?? default).Span;
        var vendor = message.Options.ClassText(Dhcp6OptionCode.VendorClass);
        var user = message.Options.ClassText(Dhcp6OptionCode.UserClass);
        var architecture = message.Options.Find(Dhcp6OptionCode.ClientArchitecture) is { Length: >= 2 } v
            ? (ClientArchitecture)BinaryPrimitives.ReadUInt16BigEndian(v.Span)
            : (ClientArchitecture?)null;
        return new DhcpClient
        {
            Hardware = HardwareOf(duid, relay, source),
            Kind = user is "iPXE" or "gPXE" ? ClientKind.Ipxe
                : vendor?.StartsWith("HTTPClient", StringComparison.Ordinal) == true ? ClientKind.HttpFirmware
                : architecture is not null || vendor?.StartsWith("PXEClient", StringComparison.Ordinal) == true ? ClientKind.Firmware
                : ClientKind.Host,
            Architecture = architecture,
            Platform = architecture?.Platform() ?? BootPlatform.Unknown,
            VendorClass = vendor,
            UserClass = user,
            Uuid = Duid.UuidOf(duid),
            RelayAddress = relay?.Link ?? IPAddress.Any,
        };
    }

    // The relay saw the frame. Else the link-local address tells, where it is made from the card's (RFC 4291, appendix A), as
    // firmware and iPXE make theirs. A DUID may be of any card that the machine had when its system was installed.
    private static HardwareAddress HardwareOf(ReadOnlySpan<byte> duid, Relay6? relay, IPAddress source)
    {
        if (relay is not null && relay.ClientHardware.Span is [0, var type, .. var address] && address.Length is > 0 and <= HardwareAddress.MaxLength)
            return new HardwareAddress(type, address);
        Span<byte> peer = stackalloc byte[16];
        (relay?.Peer ?? source).TryWriteBytes(peer, out var length);
        return length == 16 && peer is [0xFE, 0x80, 0, 0, 0, 0, 0, 0, var first, var b, var c, 0xFF, 0xFE, var d, var e, var f]
            ? new HardwareAddress(HardwareAddress.Ethernet, [(byte)(first ^ 2), b, c, d, e, f])
            : Duid.HardwareOf(duid);
    }
}
