using System.Net;
using System.Net.Sockets;
using Slipway.Server.Tests;
using Slipway.Server.Tests.Net;

namespace Slipway.EndToEnd;

/// <summary>Bytes that are no packet of any protocol, at a whole server: each is told in one line, and the server goes on.</summary>
public sealed class BadInputTests : IDisposable
{
    private static readonly IPAddress Server = IPAddress.Parse("10.77.0.1");

    private readonly TemporaryFolder _folder = new();
    private readonly NetworkNamespace _network = GuestNetwork.Create("bad", "eth1", "10.77.0.1/24");
    private readonly BackgroundTool _server;

    public BadInputTests()
    {
        var site = Path.Combine(_folder.Path, "slipway.yaml");
        File.WriteAllText(site, $$"""
            name: lab
            state: {{_folder.Path}}/state
            networks:
              - { name: boot, interface: eth1, address: 10.77.0.1/24, pool: 10.77.0.100-10.77.0.200 }
            """);
        _server = _network.Start(Demo.Program, "serve", "-c", site);
        _server.WaitFor("serving network boot");
    }

    public void Dispose()
    {
        _server.Dispose();
        _network.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Each_is_logged_with_who_and_why_and_the_server_goes_on()
    {
        Say(67, [1, .. "garbage"u8]);
        _server.WaitFor("malformed, from 10.77.0.1 on eth1: 8 bytes; a DHCP message has at least 240");

        Say(69, [0, 1, .. "no end"u8]);
        _server.WaitFor("is refused '': a request without file name and mode");
        Say(69, [0, 1, .. "../../etc/passwd\0octet\0"u8]);
        _server.WaitFor("is refused '../../etc/passwd': no such name can be served");

        // Opcode 3Fh is nobody's, and a login comes first; its header announces 16 MiB that never come.
        using (var initiator = _network.Run(() => new TcpClient("10.77.0.1", 3260)))
        {
            await initiator.GetStream().WriteAsync((byte[])[0x3F, 0x80, 0, 0, 0, 0xFF, 0xFF, 0xFF, .. new byte[40]]);
            Assert.Equal(0, await initiator.GetStream().ReadAsync(new byte[64]));
        }
        _server.WaitFor("never named itself");

        Say(69, [0, 1, .. "absent\0octet\0"u8]);
        _server.WaitFor("is refused 'absent'");
        _server.Signal("TERM");
        Assert.Equal(0, await _server.EndAsync(TimeSpan.FromMinutes(1)));
    }

    private void Say(int port, byte[] packet)
    {
        using var socket = _network.Run(() => new UdpClient());
        socket.Send(packet, new IPEndPoint(Server, port));
    }
}
