using System.Buffers.Binary;
using System.Net;
using System.Text;
using Slipway.Dhcp.Clients;
using Slipway.Dhcp.Networks;
using Slipway.Dhcp.Wire;

namespace Slipway.Dhcp.Server;

/// <summary>
/// Fills in replies (RFC 2131 §4.3.1, table 3). Options are set in the order of their importance: should a client take
/// only short messages, the last are left out.
/// </summary>
internal sealed class ReplyBuilder(DhcpMessage request, DhcpClient client, DhcpNetwork network, Arrival arrival)
{
    public const string PxeClient = "PXEClient";
    private const string HttpClient = "HTTPClient";

    // PXE 2.1 §2.4.1, PXE_DISCOVERY_CONTROL: bit 3, take the boot file from this message and ask no boot server.
    private static readonly byte[] UseBootFile = [6, 1, 8, 255];

    // PXE 2.1 §2.4.1: discovery control 3 (neither broadcast nor multicast), a prompt of no seconds that says "PXE", and
    // a menu of one entry, boot server type 0.
    private static readonly byte[] RaspberryPiMenu =
        [6, 1, 3, 10, 4, 0, .. "PXE"u8, 9, 20, 0, 0, 17, .. "Raspberry Pi Boot"u8, 255];

    private readonly DhcpMessage _reply = new()
    {
        Op = 2,
        Hardware = request.Hardware,
        Xid = request.Xid,
        Flags = request.Flags,
        RelayAddress = request.RelayAddress,
    };

    public string? BootFile { get; private set; }

    /// <summary>RFC 5107 lets a relay choose what the client takes for its server.</summary>
    private IPAddress ServerIdentifier => client.Relay?.ServerIdentifierOverride ?? network.ServerAddress;

    public ReplyBuilder Begin(MessageType type)
    {
        _reply.Options.Set(OptionCode.MessageType, (byte)type);
        _reply.Options.Set(OptionCode.ServerIdentifier, ServerIdentifier);
        // RFC 6842: whoever sent it gets it back.
        if (request.Options.Find(OptionCode.ClientIdentifier) is { } clientId)
            _reply.Options.Set(OptionCode.ClientIdentifier, clientId);
        if (client.Relay is { } relay)
            _reply.Options.Set(OptionCode.RelayAgentInformation, relay.Option);
        return this;
    }

    public ReplyBuilder Lend(IPAddress address, TimeSpan time)
    {
        var seconds = (uint)time.TotalSeconds;
        _reply.YourAddress = address;
        _reply.Options.Set(OptionCode.LeaseTime, seconds);
        _reply.Options.Set(OptionCode.RenewalTime, seconds / 2);
        _reply.Options.Set(OptionCode.RebindingTime, (uint)(seconds * 7UL / 8));
        return this;
    }

    public ReplyBuilder Inform(IPAddress clientAddress)
    {
        _reply.ClientAddress = clientAddress;
        return this;
    }

    public ReplyBuilder Say(string message)
    {
        _reply.Options.Set(OptionCode.Message, message);
        return this;
    }

    public ReplyBuilder Configure(string? hostName)
    {
        var options = _reply.Options;
        var mask = network.Subnet.PrefixLength == 0 ? 0 : uint.MaxValue << (32 - network.Subnet.PrefixLength);
        options.Set(OptionCode.SubnetMask, mask);
        if (network.Routers.Count > 0 && Wants(OptionCode.Router))
            options.Set(OptionCode.Router, network.Routers);
        if (network.DnsServers.Count > 0 && Wants(OptionCode.DomainNameServer))
            options.Set(OptionCode.DomainNameServer, network.DnsServers);
        if (network.StaticRoutes.Count > 0 && Wants(OptionCode.ClasslessStaticRoute))
            options.Set(OptionCode.ClasslessStaticRoute, Routes().SelectMany(r => r.ToBytes()).ToArray());
        if (hostName is not null && Wants(OptionCode.HostName))
            options.Set(OptionCode.HostName, hostName);
        if (network.DomainName is { } domain && Wants(OptionCode.DomainName))
            options.Set(OptionCode.DomainName, domain);
        if (network.Mtu is { } mtu && Wants(OptionCode.InterfaceMtu))
        {
            var bytes = new byte[2];
            BinaryPrimitives.WriteUInt16BigEndian(bytes, mtu);
            options.Set(OptionCode.InterfaceMtu, bytes);
        }
        if (network.NtpServers.Count > 0 && Wants(OptionCode.NtpServers))
            options.Set(OptionCode.NtpServers, network.NtpServers);
        TellLogServers();
        if (Wants(OptionCode.BroadcastAddress))
            options.Set(OptionCode.BroadcastAddress, Ipv4.Number(network.Subnet.BaseAddress) | ~mask);
        return this;
    }

    public ReplyBuilder Boot(BootDirections? directions)
    {
        if (client.SpeaksPxe && client.Kind == ClientKind.Firmware)
            EchoPxe(directions is not null);
        EchoHttp();
        if (directions is not null)
            Direct(directions, [.. directions.Ipxe, .. network.Mode == NetworkMode.Authoritative ? [IpxeSettings.NoProxyDhcp] : (ReadOnlySpan<(byte, ReadOnlyMemory<byte>)>)[]]);
        return this;
    }

    /// <summary>As a proxy every answer names the client's class: that is how it is told from the address server's.</summary>
    public ReplyBuilder ProxyBoot(BootDirections directions)
    {
        if (client.SpeaksPxe)
            EchoPxe(useBootFile: true);
        EchoHttp();
        Direct(directions, directions.Ipxe);
        TellLogServers();
        return this;
    }

    public DhcpReply ToClient()
    {
        var (address, port, link) = Destination();
        return new DhcpReply(Bytes(), address, port, link);
    }

    public DhcpReply ToSource() => new(Bytes(), arrival.Source, arrival.SourcePort, null);

    private void TellLogServers()
    {
        if (network.LogServers.Count > 0 && Wants(OptionCode.LogServer))
            _reply.Options.Set(OptionCode.LogServer, network.LogServers);
    }

    private void EchoPxe(bool useBootFile)
    {
        _reply.Options.Set(OptionCode.VendorClass, PxeClient);
        if (FirmwareQuirks.Has(client, FirmwareQuirk.NeedsRaspberryPiMenu))
            _reply.Options.Set(OptionCode.VendorSpecific, RaspberryPiMenu);
        else if (useBootFile)
            _reply.Options.Set(OptionCode.VendorSpecific, UseBootFile);
        if (request.Options.Find(OptionCode.ClientMachineIdentifier) is { } uuid)
            _reply.Options.Set(OptionCode.ClientMachineIdentifier, uuid);
    }

    // UEFI 2.10 §24.7.3: without it the offer is not an HTTP boot server's.
    private void EchoHttp()
    {
        if (client.Kind == ClientKind.HttpFirmware)
            _reply.Options.Set(OptionCode.VendorClass, HttpClient);
    }

    // The name goes into the header's field, where every client looks, if it fits there, and into option 67 for those
    // that ask for it; the same with siaddr and option 66.
    private void Direct(BootDirections directions, IReadOnlyList<(byte Code, ReadOnlyMemory<byte> Value)> ipxe)
    {
        BootFile = directions.FileName;
        var server = directions.NextServer ?? network.ServerAddress;
        var file = Encoding.UTF8.GetBytes(directions.FileName);
        _reply.NextServer = server;
        if (file.Length < DhcpMessage.FileLength)
            _reply.File = file;
        if (file.Length >= DhcpMessage.FileLength || client.Kind == ClientKind.HttpFirmware || Requests(OptionCode.BootFileName))
            _reply.Options.Set(OptionCode.BootFileName, FirmwareQuirks.Has(client, FirmwareQuirk.TerminatedBootFile) ? [.. file, 0] : file);
        if (client.Kind != ClientKind.HttpFirmware && (Requests(OptionCode.TftpServerName) || FirmwareQuirks.Has(client, FirmwareQuirk.NeedsTftpServerName)))
            _reply.Options.Set(OptionCode.TftpServerName, server.ToString());
        if (directions.RootPath is { } rootPath)
            _reply.Options.Set(OptionCode.RootPath, rootPath);
        // A BIOS iPXE reads whom to trust from what the firmware before it was told.
        if ((client.IsIpxe || client.Platform == BootPlatform.Bios) && ipxe.Count > 0)
            _reply.Options.Set(OptionCode.Ipxe, SubOptions.Write(ipxe, end: false));
    }

    private byte[] Bytes()
    {
        // Option 57 counts IP's and UDP's header too; an Ethernet frame is the most we send.
        var max = Math.Clamp((request.Options.UInt16(OptionCode.MaximumMessageSize) ?? 0) - 28, DhcpMessageWriter.DefaultMaxLength, 1500 - 28);
        return DhcpMessageWriter.Write(_reply, max, out _);
    }

    // RFC 2131 §4.1.
    private (IPAddress, int, HardwareAddress?) Destination()
    {
        if (request.IsRelayed)
        {
            // The relay cannot unicast a NAK to an address the client must not use (§4.3.2).
            if (_reply.Type == MessageType.Nak)
                _reply.Broadcast = true;
            return (request.RelayAddress, DhcpServer.Port, null);
        }
        if (_reply.Type == MessageType.Nak)
            return (IPAddress.Broadcast, DhcpServer.ClientPort, null);
        if (!request.ClientAddress.Equals(IPAddress.Any))
            return (request.ClientAddress, DhcpServer.ClientPort, null);
        if (request.Broadcast || _reply.YourAddress.Equals(IPAddress.Any) || request.Hardware is not { Type: HardwareAddress.Ethernet, Length: 6 })
            return (IPAddress.Broadcast, DhcpServer.ClientPort, null);
        return (_reply.YourAddress, DhcpServer.ClientPort, request.Hardware);
    }

    // A client that takes option 121 ignores the router option, so the default route must be in it (RFC 3442).
    private IEnumerable<StaticRoute> Routes() =>
        network.Routers.Count == 0 || network.StaticRoutes.Any(r => r.Destination.PrefixLength == 0)
            ? network.StaticRoutes
            : network.StaticRoutes.Append(new StaticRoute(new IPNetwork(IPAddress.Any, 0), network.Routers[0]));

    private bool Requests(OptionCode code) =>
        request.Options.Find(OptionCode.ParameterRequestList) is { } list && list.Span.Contains((byte)code);

    private bool Wants(OptionCode code) => !request.Options.Has(OptionCode.ParameterRequestList) || Requests(code);
}
