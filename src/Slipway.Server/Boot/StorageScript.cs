using System.Globalization;
using Slipway.Dhcp.Networks;
using Slipway.Ipxe.Scripts;
using Slipway.Server.Site;

namespace Slipway.Server.Boot;

/// <summary>
/// Takes iPXE to the storage networks, after it has its script and before it has its disk. A network that cannot be
/// reached is told and left: the disk may be behind another.
/// </summary>
internal static class StorageScript
{
    // Of frames that are as long with their tag as others without: edk2's drivers, by which iPXE often goes, drop longer
    // ones without a word.
    private const ushort LongestMtu = 1496;

    private const string Card = "slipway-card", Other = "slipway-other";

    public static IpxeScript Reach(this IpxeScript script, IReadOnlyList<StoragePortal> portals)
    {
        var networks = portals.Select(p => p.Network).OfType<NetworkSettings>().ToList();
        if (networks.Count == 0)
            return script;
        // netX is what was opened last: the card that brought the script, until a storage network is opened.
        script.GotoIfSet(Card, "card").SetText(Card, IpxeScript.Setting("netX/ifname")).Label("card");
        foreach (var network in networks.Where(n => n.Vlan is not null))
            Tag(script, network.Vlan!.Value, network);
        // Without a tag and without DHCP a router or the link itself leads there.
        if (networks.Any(n => n.Vlan is null && n.Mode != NetworkMode.Off))
            AskOnOtherCards(script);
        return script;
    }

    private static void Tag(IpxeScript script, ushort vlan, NetworkSettings network)
    {
        var tag = vlan.ToString(CultureInfo.InvariantCulture);
        var device = IpxeScript.Setting(Card) + $"-{tag}";
        script.CreateVlan(vlan, IpxeScript.Setting(Card))
            .SetMtu(device, Math.Min(network.Mtu ?? LongestMtu, LongestMtu))
            .Dhcp(device, onFailure: $"no-vlan-{tag}")
            .Goto($"vlan-{tag}")
            .Label($"no-vlan-{tag}")
            .Echo($"Slipway: no address on the storage network {network.Name}, VLAN {tag}. Does the switch's port carry it tagged?")
            .Label($"vlan-{tag}");
    }

    private static void AskOnOtherCards(IpxeScript script)
    {
        var card = IpxeText.Plain("net") + IpxeScript.Setting(Other);
        script.Set(Other, 0)
            .Label("cards")
            .GotoIfEqual(card, IpxeScript.Setting(Card), "next-card")
            .GotoUnlessSet(IpxeScript.SettingOf(card, "mac"), "no-more-cards")
            .Dhcp(card, onFailure: "next-card")
            .Label("next-card")
            .Increment(Other)
            .Goto("cards")
            .Label("no-more-cards");
    }
}
