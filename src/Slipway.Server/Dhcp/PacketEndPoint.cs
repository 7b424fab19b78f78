using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Slipway.Dhcp.Wire;

namespace Slipway.Server.Dhcp;

/// <summary>IPv4 on one interface, below IP: <c>struct sockaddr_ll</c> of packet(7).</summary>
internal sealed partial class PacketEndPoint(int interfaceIndex) : EndPoint
{
    private const int Length = 20;
    private const ushort EtherTypeIp = 0x0800;
    private const int HardwareAt = 12;

    public override AddressFamily AddressFamily => AddressFamily.Packet;

    public override SocketAddress Serialize() => To(default);

    /// <summary>The address of a neighbour.</summary>
    public SocketAddress To(HardwareAddress hardware)
    {
        var address = new SocketAddress(AddressFamily.Packet, Length);
        var span = address.Buffer.Span;
        BinaryPrimitives.WriteUInt16BigEndian(span[2..], EtherTypeIp);
        BinaryPrimitives.WriteInt32LittleEndian(span[4..], interfaceIndex);
        span[HardwareAt - 1] = hardware.Length;
        hardware.CopyTo(span[HardwareAt..]);
        return address;
    }

    /// <summary>Null where there is no such interface.</summary>
    public static PacketEndPoint? Of(string interfaceName) =>
        InterfaceIndex(interfaceName) is var index and not 0 ? new PacketEndPoint((int)index) : null;

    /// <summary>0 where there is no such interface.</summary>
    public static int IndexOf(string interfaceName) => (int)InterfaceIndex(interfaceName);

    /// <summary>The network card of an interface, in this thread's network namespace; null where it has none.</summary>
    public static HardwareAddress? CardOf(string interfaceName) =>
        NetworkInterface.GetAllNetworkInterfaces().FirstOrDefault(i => i.Name == interfaceName)?.GetPhysicalAddress().GetAddressBytes() is { Length: 6 } card
            ? new(HardwareAddress.Ethernet, card)
            : null;

    [LibraryImport("libc", EntryPoint = "if_nametoindex", StringMarshalling = StringMarshalling.Utf8)]
    private static partial uint InterfaceIndex(string name);
}
