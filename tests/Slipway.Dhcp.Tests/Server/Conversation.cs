using System.Net;
using Slipway.Dhcp.Clients;
using Slipway.Dhcp.Leases;
using Slipway.Dhcp.Networks;
using Slipway.Dhcp.Server;
using Slipway.Dhcp.Wire;

namespace Slipway.Dhcp.Tests.Server;

/// <summary>A server and clients that talk to it, so that a test reads like the conversation.</summary>
internal sealed class Conversation
{
    public const string Mac = "52:54:00:00:00:01";

    public Conversation(params DhcpNetwork[] networks)
    {
        Server = new DhcpServer(networks.Length > 0 ? networks : [Boot], Policy, Clock);
    }

    public static DhcpNetwork Boot { get; } = new()
    {
        Name = "boot",
        Interface = "eth0",
        Subnet = IPNetwork.Parse("10.0.0.0/24"),
        ServerAddress = IPAddress.Parse("10.0.0.1"),
        Pool = [Range("10.0.0.10", "10.0.0.12")],
        Routers = [IPAddress.Parse("10.0.0.1")],
        DnsServers = [IPAddress.Parse("10.0.0.53")],
    };

    public static IBootPolicy Policy { get; } = new ChainloadPolicy(
        platform => platform switch
        {
            BootPlatform.Bios => "undionly.kpxe",
            BootPlatform.X64Uefi => "ipxe-x64.efi",
            BootPlatform.Arm64Uefi => "ipxe-arm64.efi",
            BootPlatform.RiscV64Uefi => "ipxe-riscv64.efi",
            _ => null,
        },
        (_, network) => $"https://{network.ServerAddress}/script/${{mac:hexhyp}}")
    {
        HttpBase = network => $"http://{network.ServerAddress}/ipxe/",
    };

    public TestClock Clock { get; } = new();

    public DhcpServer Server { get; }

    /// <summary>What must be durable, in order.</summary>
    public List<Lease> Leases { get; } = [];

    public static AddressRange Range(string first, string last) => new(IPAddress.Parse(first), IPAddress.Parse(last));

    public Answer Send(MessageType type, string mac = Mac, Action<DhcpMessage>? with = null, Arrival? arrival = null)
    {
        var message = new DhcpMessage { Hardware = HardwareAddress.Parse(mac), Xid = 0x01020304 };
        message.Type = type;
        with?.Invoke(message);
        var outcome = Server.Handle(DhcpMessageWriter.Write(message, 1400, out _), arrival ?? new Arrival("eth0", IPAddress.Any, 68));
        if (outcome.Lease is { } lease)
            Leases.Add(lease);
        DhcpMessage? reply = null;
        if (outcome.Reply is { } sent)
            Assert.True(DhcpMessageReader.TryRead(sent.Packet, out reply, out var reason), reason);
        return new Answer(outcome, reply);
    }

    public Answer Discover(string mac = Mac, Action<DhcpMessage>? with = null) => Send(MessageType.Discover, mac, with);

    /// <summary>SELECTING (RFC 2131 §4.3.2).</summary>
    public Answer Select(IPAddress address, string mac = Mac, Action<DhcpMessage>? with = null, string server = "10.0.0.1") => Send(MessageType.Request, mac, m =>
    {
        m.Options.Set(OptionCode.ServerIdentifier, IPAddress.Parse(server));
        m.Options.Set(OptionCode.RequestedAddress, address);
        with?.Invoke(m);
    });

    /// <summary>INIT-REBOOT.</summary>
    public Answer Reboot(string address, string mac = Mac) =>
        Send(MessageType.Request, mac, m => m.Options.Set(OptionCode.RequestedAddress, IPAddress.Parse(address)));

    /// <summary>RENEWING and REBINDING.</summary>
    public Answer Renew(string address, string mac = Mac) =>
        Send(MessageType.Request, mac, m => m.ClientAddress = IPAddress.Parse(address));

    /// <summary>From nothing to a lease.</summary>
    public IPAddress? Lease(string mac = Mac, Action<DhcpMessage>? with = null)
    {
        var offer = Discover(mac, with);
        return offer.Reply is null ? null : Select(offer.Reply.YourAddress, mac, with, offer.Reply.Options.Address(OptionCode.ServerIdentifier)!.ToString()).Reply?.YourAddress;
    }

    public static void Pxe(DhcpMessage message, ushort architecture)
    {
        message.Options.Set(OptionCode.VendorClass, $"PXEClient:Arch:{architecture:D5}:UNDI:003016");
        message.Options.Set(OptionCode.ClientArchitecture, new byte[] { (byte)(architecture >> 8), (byte)architecture });
        message.Options.Set(OptionCode.ClientMachineIdentifier, new byte[] { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 });
    }

    public static void Http(DhcpMessage message)
    {
        message.Options.Set(OptionCode.VendorClass, "HTTPClient:Arch:00016:UNDI:003016");
        message.Options.Set(OptionCode.ClientArchitecture, new byte[] { 0, 16 });
    }

    public static void Ipxe(DhcpMessage message)
    {
        Pxe(message, 7);
        message.Options.Set(OptionCode.UserClass, "iPXE");
        message.Options.Set(OptionCode.Ipxe, new byte[] { 177, 5, 1, 0x80, 0x86, 0x10, 0x0E, 19, 1, 1, 20, 1, 1, 17, 1, 1 });
    }
}

internal sealed record Answer(DhcpOutcome Outcome, DhcpMessage? Reply)
{
    public DhcpEventKind Kind => Outcome.Event.Kind;
}

internal sealed class TestClock : TimeProvider
{
    private DateTimeOffset _now = new(2025, 6, 1, 12, 0, 0, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => _now;

    public void Advance(TimeSpan time) => _now += time;
}
