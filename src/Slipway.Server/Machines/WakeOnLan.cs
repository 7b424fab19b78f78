using System.Net;
using System.Net.Sockets;
using Slipway.Fleet.Machines;
using Slipway.Server.Site;

namespace Slipway.Server.Machines;

/// <summary>
/// AMD's magic packet (publication 20213): six bytes of ones and sixteen times the MAC address, broadcast on each of the
/// site's own networks, since a machine that is off cannot say where it is. Nobody answers it.
/// </summary>
internal static class WakeOnLan
{
    // Discard: no host minds it there.
    public const int Port = 9;

    public static byte[] Packet(MacAddress mac) =>
        [.. Enumerable.Repeat((byte)0xFF, 6), .. Enumerable.Repeat(Convert.FromHexString(mac.ToHyphenated().Replace("-", "", StringComparison.Ordinal)), 16).SelectMany(b => b)];

    /// <returns>The addresses that it was sent to.</returns>
    /// <exception cref="SocketException">A network is down.</exception>
    public static async Task<IReadOnlyList<IPAddress>> SendAsync(MacAddress mac, IEnumerable<NetworkSettings> networks, CancellationToken cancellation)
    {
        var packet = Packet(mac);
        var sent = new List<IPAddress>();
        foreach (var network in networks)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { EnableBroadcast = true };
            // From the network's own address, so that the host's routes cannot send it elsewhere.
            socket.Bind(new IPEndPoint(network.Address, 0));
            var everybody = BroadcastOf(network.Address, network.PrefixLength);
            await socket.SendToAsync(packet, SocketFlags.None, new IPEndPoint(everybody, Port), cancellation);
            sent.Add(everybody);
        }
        return sent;
    }

    private static IPAddress BroadcastOf(IPAddress address, int prefix)
    {
        var bytes = address.GetAddressBytes();
        for (var bit = prefix; bit < 32; bit++)
            bytes[bit / 8] |= (byte)(0x80 >> (bit % 8));
        return new IPAddress(bytes);
    }
}
