using System.Net;
using System.Text;
using Slipway.Dhcp.Clients;
using Slipway.Dhcp.Networks;
using Slipway.Dhcp.Server;
using Slipway.Dhcp.Wire;

namespace Slipway.Dhcp.Tests.Server;

/// <summary>Who is told to boot what.</summary>
public class BootTests
{
    private readonly Conversation _c = new();

    [Theory]
    [InlineData(0, "undionly.kpxe")]
    [InlineData(7, "ipxe-x64.efi")]
    [InlineData(9, "ipxe-x64.efi")]
    [InlineData(11, "ipxe-arm64.efi")]
    [InlineData(27, "ipxe-riscv64.efi")]
    public void Firmware_gets_iPXE_for_its_architecture(ushort architecture, string file)
    {
        var offer = _c.Discover(with: m => Conversation.Pxe(m, architecture)).Reply!;
        Assert.Equal(file, Encoding.ASCII.GetString(offer.File.Span));
        Assert.Equal(IPAddress.Parse("10.0.0.1"), offer.NextServer);
        Assert.Equal("PXEClient", offer.Options.Text(OptionCode.VendorClass));
        Assert.Equal([6, 1, 8, 255], offer.Options.Find(OptionCode.VendorSpecific)!.Value.ToArray());
        Assert.Equal(17, offer.Options.Find(OptionCode.ClientMachineIdentifier)!.Value.Length);
    }

    [Fact]
    public void Firmware_that_names_its_architecture_only_in_its_vendor_class_is_understood()
    {
        var offer = _c.Discover(with: m => m.Options.Set(OptionCode.VendorClass, "PXEClient:Arch:00011:UNDI:003016")).Reply!;
        Assert.Equal("ipxe-arm64.efi", Encoding.ASCII.GetString(offer.File.Span));
    }

    [Fact]
    public void Firmware_of_an_architecture_without_iPXE_gets_an_address_and_no_file()
    {
        var offer = _c.Discover(with: m => Conversation.Pxe(m, 39));
        Assert.True(offer.Reply!.File.IsEmpty);
        Assert.EndsWith("no boot file for it", offer.Outcome.Event.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void IPXE_gets_its_script_and_never_iPXE()
    {
        var offer = _c.Discover(with: Conversation.Ipxe).Reply!;
        Assert.Equal("https://10.0.0.1/script/${mac:hexhyp}", Encoding.ASCII.GetString(offer.File.Span));
        Assert.False(offer.Options.Has(OptionCode.VendorClass));
        Assert.Equal([176, 1, 1], offer.Options.Find(OptionCode.Ipxe)!.Value.ToArray());
    }

    [Fact]
    public void IPXE_is_known_by_option_175_alone_and_by_a_framed_user_class()
    {
        Assert.True(Client(m => m.Options.Set(OptionCode.Ipxe, new byte[] { 20, 1, 1 })).IsIpxe);
        Assert.True(Client(m => m.Options.Set(OptionCode.UserClass, new byte[] { 4, (byte)'i', (byte)'P', (byte)'X', (byte)'E' })).IsIpxe);
        Assert.True(Client(m => m.Options.Set(OptionCode.Ipxe, new byte[] { 20, 1, 1 })).IpxeFeatures.Has(IpxeFeatures.Https));
    }

    [Fact]
    public void An_ordinary_host_gets_no_boot_file()
    {
        var offer = _c.Discover().Reply!;
        Assert.True(offer.File.IsEmpty);
        Assert.Equal(IPAddress.Any, offer.NextServer);
        Assert.False(offer.Options.Has(OptionCode.VendorClass));
    }

    [Fact]
    public void HTTP_boot_gets_a_URI_and_its_vendor_class_back()
    {
        var offer = _c.Discover(with: Conversation.Http).Reply!;
        Assert.Equal("HTTPClient", offer.Options.Text(OptionCode.VendorClass));
        Assert.Equal("http://10.0.0.1/ipxe/ipxe-x64.efi", offer.Options.Text(OptionCode.BootFileName));
    }

    [Fact]
    public void A_URL_too_long_for_the_header_goes_into_option_67()
    {
        var policy = new ChainloadPolicy(_ => null, (_, _) => "https://boot/" + new string('x', 200));
        var server = new DhcpServer([Conversation.Boot], policy, _c.Clock);
        var message = new DhcpMessage { Hardware = HardwareAddress.Parse(Conversation.Mac), Type = MessageType.Discover };
        Conversation.Ipxe(message);
        var outcome = server.Handle(DhcpMessageWriter.Write(message, 1400, out _), new Arrival("eth0", IPAddress.Any, 68));
        Assert.True(DhcpMessageReader.TryRead(outcome.Reply!.Packet, out var reply, out _));
        Assert.Equal(213, reply.Options.Find(OptionCode.BootFileName)!.Value.Length);
    }

    [Fact]
    public void What_a_client_tells_reaches_the_observer()
    {
        var client = _c.Discover(with: m => Conversation.Pxe(m, 7)).Outcome.Event.Client!;
        Assert.Equal((ClientKind.Firmware, ClientArchitecture.X64Uefi, BootPlatform.X64Uefi), (client.Kind, client.Architecture, client.Platform));
        Assert.Equal(new Guid(Enumerable.Range(1, 16).Select(i => (byte)i).ToArray()), client.Uuid);
    }

    [Fact]
    public void A_proxy_offers_PXE_clients_a_file_and_no_address_and_others_nothing()
    {
        var c = new Conversation(Conversation.Boot with { Mode = NetworkMode.Proxy });
        var offer = c.Discover(with: m => Conversation.Pxe(m, 7));
        Assert.Equal((DhcpEventKind.ProxyOffered, IPAddress.Any), (offer.Kind, offer.Reply!.YourAddress));
        Assert.Equal("PXEClient", offer.Reply.Options.Text(OptionCode.VendorClass));
        Assert.False(offer.Reply.Options.Has(OptionCode.LeaseTime));
        Assert.Equal(DhcpEventKind.Ignored, c.Discover().Kind);
        Assert.Equal(DhcpEventKind.Ignored, c.Reboot("192.168.1.1").Kind);
    }

    [Fact]
    public void A_proxy_tells_HTTP_boot_its_URI()
    {
        var c = new Conversation(Conversation.Boot with { Mode = NetworkMode.Proxy });
        var offer = c.Discover(with: Conversation.Http).Reply!;
        Assert.Equal(IPAddress.Any, offer.YourAddress);
        Assert.Equal("HTTPClient", offer.Options.Text(OptionCode.VendorClass));
        Assert.Equal("http://10.0.0.1/ipxe/ipxe-x64.efi", offer.Options.Text(OptionCode.BootFileName));
    }

    [Theory]
    [InlineData(NetworkMode.Proxy)]
    [InlineData(NetworkMode.Authoritative)]
    public void The_boot_server_port_answers_to_where_the_request_came_from(NetworkMode mode)
    {
        var c = new Conversation(Conversation.Boot with { Mode = mode });
        var ack = c.Send(MessageType.Request, with: m => Conversation.Pxe(m, 7), arrival: new Arrival("eth0", IPAddress.Parse("10.0.0.50"), 4011, 4011));
        Assert.Equal(MessageType.Ack, ack.Reply!.Type);
        Assert.Equal("ipxe-x64.efi", Encoding.ASCII.GetString(ack.Reply.File.Span));
        Assert.Equal((IPAddress.Parse("10.0.0.50"), 4011), (ack.Outcome.Reply!.Address, ack.Outcome.Reply.Port));
    }

    [Fact]
    public void A_network_that_is_off_is_silent() =>
        Assert.Null(new Conversation(Conversation.Boot with { Mode = NetworkMode.Off }).Discover().Reply);

    private static DhcpClient Client(Action<DhcpMessage> with)
    {
        var message = new DhcpMessage();
        with(message);
        return DhcpClient.From(message);
    }
}
