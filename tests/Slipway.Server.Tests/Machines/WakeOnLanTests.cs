using System.Net;
using System.Net.Sockets;
using Slipway.Fleet.Machines;
using Slipway.Server.Machines;
using Slipway.Server.Site;

namespace Slipway.Server.Tests.Machines;

public class WakeOnLanTests
{
    [Fact]
    public async Task The_magic_packet_is_broadcast_on_the_networks()
    {
        // A network of one address, which is its own broadcast address: what is sent there comes back.
        using var card = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        card.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.99"), WakeOnLan.Port));
        var network = new NetworkSettings { Name = "boot", Interface = "lo", Address = IPAddress.Parse("127.0.0.99"), PrefixLength = 32 };
        var sent = await WakeOnLan.SendAsync(MacAddress.Parse("52:54:00:77:00:09"), [network], TestContext.Current.CancellationToken);
        Assert.Equal([network.Address], sent);
        var buffer = new byte[200];
        var length = await card.ReceiveAsync(buffer, TestContext.Current.CancellationToken);
        Assert.Equal(102, length);
        Assert.Equal("FFFFFFFFFFFF525400770009525400770009", Convert.ToHexString(buffer[..18]));
        Assert.Equal("525400770009", Convert.ToHexString(buffer[96..102]));
    }
}
