using System.Net;
using Slipway.Dhcp.Clients;
using Slipway.Dhcp.Leases;
using Slipway.Dhcp.Server;
using Slipway.Dhcp.Tests.Server;
using Slipway.Dhcp.V6.Server;
using Slipway.Dhcp.V6.Wire;
using Slipway.Dhcp.Wire;

namespace Slipway.Dhcp.Tests.V6;

/// <summary>A server of DHCPv6 and clients that talk to it, so that a test reads like the conversation.</summary>
internal sealed class Conversation6 : IBootUrls
{
    public static readonly IPAddress Source = IPAddress.Parse("fe80::5054:ff:fe00:1");
    public static readonly byte[] Firmware = [0, 4, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

    /// <summary>DUID-LLT of a card that is not the one that asks.</summary>
    public static readonly byte[] System = [0, 1, 0, 1, 0x2A, 0, 0, 0, 0x52, 0x54, 0, 0xFF, 0xFF, 0xFF];

    public Conversation6(params Dhcp6Network[] networks) => Server = new Dhcp6Server(networks.Length > 0 ? networks : [Boot], this, Card, Clock);

    public static HardwareAddress Card { get; } = HardwareAddress.Parse("02:00:00:00:00:01");

    public static Dhcp6Network Boot { get; } = new()
    {
        Name = "boot",
        Interface = "eth0",
        Subnet = IPNetwork.Parse("fd00:77::/64"),
        ServerAddress = IPAddress.Parse("fd00:77::1"),
        Pool = (IPAddress.Parse("fd00:77::100"), IPAddress.Parse("fd00:77::102")),
        DnsServers = [IPAddress.Parse("fd00:77::53")],
        DomainName = "boot.example",
        LeaseTime = TimeSpan.FromSeconds(1000),
    };

    public TestClock Clock { get; } = new();

    public Dhcp6Server Server { get; }

    /// <summary>What must be durable, in order.</summary>
    public List<Lease> Leases { get; } = [];

    public string? UrlFor(DhcpClient client, Dhcp6Network network) => client.Kind switch
    {
        ClientKind.Ipxe => $"https://[{network.ServerAddress}]/boot/{client.Hardware}",
        ClientKind.HttpFirmware => $"http://[{network.ServerAddress}]/{client.Platform}.efi",
        _ => $"tftp://[{network.ServerAddress}]/{client.Platform}.efi",
    };

    public Answer6 Send(Dhcp6MessageType type, Action<Dhcp6Options>? with = null, byte[]? duid = null, bool toServer = false, IPAddress? source = null)
    {
        var message = new Dhcp6Message(type, 0x010203);
        if (duid is not { Length: 0 })
            message.Options.Add(Dhcp6OptionCode.ClientIdentifier, duid ?? Firmware);
        if (toServer)
            message.Options.Add(Dhcp6OptionCode.ServerIdentifier, Duid.Of(Card));
        with?.Invoke(message.Options);
        return Send(message.ToArray(), source);
    }

    public Answer6 Send(byte[] packet, IPAddress? source = null)
    {
        var outcome = Server.Handle(packet, new Dhcp6Arrival("eth0", source ?? Source));
        Leases.AddRange(outcome.Leases);
        if (outcome.Reply is null)
            return new(outcome, null, []);
        var bytes = outcome.Reply;
        var relays = new List<byte[]>();
        while (bytes[0] == (byte)Dhcp6MessageType.RelayReply)
        {
            relays.Add(bytes);
            Assert.True(Dhcp6Options.TryRead(bytes.AsMemory(34), out var options));
            bytes = options.Find(Dhcp6OptionCode.RelayMessage)!.Value.ToArray();
        }
        Assert.True(Dhcp6Message.TryRead(bytes, out var reply, out var reason), reason);
        return new(outcome, reply, relays);
    }

    /// <summary>From nothing to a lease.</summary>
    public IPAddress? Lease(byte[]? duid = null, uint association = 1, Action<Dhcp6Options>? with = null, IPAddress? source = null)
    {
        var offer = Send(Dhcp6MessageType.Solicit, o => Ask(o, association, with), duid, source: source);
        return offer.Addresses is [var address, ..]
            ? Send(Dhcp6MessageType.Request, o => Ask(o, association, with, address), duid, toServer: true, source).Addresses is [var leased, ..] ? leased : null
            : null;
    }

    public static void Ask(Dhcp6Options options, uint association, Action<Dhcp6Options>? with = null, params IPAddress[] addresses)
    {
        // What the server writes is what a client writes: T1, T2 and lifetimes are only hints.
        options.Add(Dhcp6OptionCode.NonTemporaryAddresses, IdentityAssociation.WriteEnded(association, addresses));
        with?.Invoke(options);
    }

    public static void Pxe(Dhcp6Options options)
    {
        options.Add(Dhcp6OptionCode.ClientArchitecture, new byte[] { 0, 7 });
        options.Add(Dhcp6OptionCode.VendorClass, (byte[])[0, 0, 1, 0x57, 0, 32, .. "PXEClient:Arch:00007:UNDI:003016"u8]);
        options.Add(Dhcp6OptionCode.OptionRequest, new byte[] { 0, 59, 0, 60, 0, 23 });
    }

    public static void Http(Dhcp6Options options)
    {
        options.Add(Dhcp6OptionCode.ClientArchitecture, new byte[] { 0, 16 });
        options.Add(Dhcp6OptionCode.VendorClass, (byte[])[0, 0, 1, 0x57, 0, 33, .. "HTTPClient:Arch:00016:UNDI:003016"u8]);
    }

    public static void Ipxe(Dhcp6Options options)
    {
        options.Add(Dhcp6OptionCode.ClientArchitecture, new byte[] { 0, 7 });
        options.Add(Dhcp6OptionCode.UserClass, (byte[])[0, 4, .. "iPXE"u8]);
    }
}

internal sealed record Answer6(Dhcp6Outcome Outcome, Dhcp6Message? Reply, IReadOnlyList<byte[]> Relays)
{
    public DhcpEventKind Kind => Outcome.Event.Kind;

    public IReadOnlyList<IPAddress> Addresses => [.. Associations.SelectMany(a => a.All)
        .Where(o => o.Code == Dhcp6OptionCode.IdentityAddress && o.Value.Span[20..].ContainsAnyExcept((byte)0)).Select(o => new IPAddress(o.Value.Span[..16]))];

    /// <summary>Of the message, or else of its first address.</summary>
    public Dhcp6StatusCode? Status =>
        Associations.Prepend(Reply?.Options ?? new()).Select(o => o.Find(Dhcp6OptionCode.StatusCode)).FirstOrDefault(v => v is not null) is { } status
            ? (Dhcp6StatusCode)status.Span[1]
            : null;

    public string? Url => Reply?.Options.Find(Dhcp6OptionCode.BootFileUrl) is { } url ? global::System.Text.Encoding.ASCII.GetString(url.Span) : null;

    private IEnumerable<Dhcp6Options> Associations
    {
        get
        {
            foreach (var (code, value) in Reply?.Options.All ?? [])
            {
                if (code != Dhcp6OptionCode.NonTemporaryAddresses)
                    continue;
                Assert.True(Dhcp6Options.TryRead(value[12..], out var options));
                yield return options;
            }
        }
    }
}
