using System.Net;
using Slipway.Dhcp.Clients;
using Slipway.Dhcp.Server;
using Slipway.Dhcp.Wire;
using Slipway.Fleet.Boots;
using Slipway.Fleet.Machines;
using Slipway.Server.Machines;

namespace Slipway.Server.Timeline;

/// <summary>
/// What DHCP tells about a boot, and about the machine. Firmware and iPXE begin a boot; an operating system's own DHCP is
/// a fact of it, and makes nobody a machine. So is iPXE's on a storage network, to which its script has sent it.
/// </summary>
/// <param name="storage">Names of the storage networks.</param>
internal sealed class DhcpEvidence(BootTimelines timelines, MachineDirectory machines, MachineSightings sightings, IReadOnlySet<string> storage) : IDhcpObserver
{
    public void Observe(DhcpEvent e)
    {
        if (e.Client is not { } client || MacOf(client.Hardware) is not { } mac)
            return;
        var begins = client.Kind != ClientKind.Host && !(e.Network is { } network && storage.Contains(network));
        if (!begins && timelines.Of(mac) is null)
            return;
        if (begins)
            sightings.See(Sighting(mac, e, client));
        var name = machines.NameOf(mac);
        switch (e.Kind)
        {
            case DhcpEventKind.Offered or DhcpEventKind.Acknowledged or DhcpEventKind.ProxyOffered:
                timelines.Observe(mac, name, BootStage.Dhcp, Text(e, client), Facts(e, client), begins);
                break;
            case DhcpEventKind.Refused or DhcpEventKind.Declined or DhcpEventKind.Exhausted or DhcpEventKind.Conflict or DhcpEventKind.OtherServer:
                timelines.Refuse(mac, name, BootStage.Dhcp, Text(e, client), Facts(e, client));
                break;
        }
    }

    // A timeline is one card's: its MAC address would say nothing.
    private static string Text(DhcpEvent e, DhcpClient client)
    {
        var who = client.Kind switch
        {
            ClientKind.Host => "the operating system",
            ClientKind.Ipxe => "iPXE",
            _ => "the firmware",
        };
        var relay = client.RelayAddress.Equals(IPAddress.Any) ? "" : $" by relay {client.RelayAddress}";
        return e.TextOf($"{who}{(client.Architecture is { } architecture ? $" ({architecture})" : "")}{relay}");
    }

    public static MacAddress? MacOf(HardwareAddress hardware) =>
        hardware is { Type: HardwareAddress.Ethernet, Length: 6 } ? MacAddress.From(hardware.ToArray()) : null;

    private static MachineSighting Sighting(MacAddress mac, DhcpEvent e, DhcpClient client) => new(mac, e.Time, e.Time)
    {
        Uuid = client.Uuid,
        Architecture = client.Architecture?.ToString(),
        // iPXE repeats the words of the firmware below it, or has some of its own.
        Firmware = client.IsIpxe ? null : client.VendorClass,
        Network = e.Network,
        Address = e.Kind is DhcpEventKind.Offered or DhcpEventKind.Acknowledged ? e.Address : null,
        Relay = client.RelayAddress.Equals(IPAddress.Any) ? null : client.RelayAddress,
    };

    private static Dictionary<string, string> Facts(DhcpEvent e, DhcpClient client)
    {
        var facts = new Dictionary<string, string> { ["client"] = client.Kind.ToString().ToLowerInvariant() };
        Add("network", e.Network);
        Add("server", e.Server?.ToString());
        Add("address", e.Address?.ToString());
        Add("bootFile", e.BootFile);
        Add("architecture", client.Architecture?.ToString());
        Add("vendorClass", client.VendorClass);
        Add("uuid", client.Uuid?.ToString());
        return facts;

        void Add(string name, string? value)
        {
            if (!string.IsNullOrEmpty(value))
                facts[name] = value;
        }
    }
}
