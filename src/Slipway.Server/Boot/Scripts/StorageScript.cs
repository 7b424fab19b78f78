using System.Globalization;
using Slipway.Dhcp.Networks;
using Slipway.Ipxe.Scripts;
using Slipway.Server.Site;

namespace Slipway.Server.Boot.Scripts;

/// <summary>
/// Takes iPXE to the storage networks, after it has its script and before it has its disk, and to the disk by those that it
/// has reached: one that it has not is no path, as iPXE writes no iBFT with a target that no card of its leads to.
/// </summary>
internal static class StorageScript
{
    // Of frames that are as long with their tag as others without: edk2's drivers, by which iPXE often goes, drop longer
    // ones without a word.
    private const ushort LongestMtu = 1496;

    private const string Card = "slipway-card", Other = "slipway-other", Lost = "slipway-lost";

    /// <summary>Opens the storage networks. Labels have a prefix: an operator's script with its own may follow.</summary>
    public static IpxeScript Reach(this IpxeScript script, IReadOnlyList<StoragePortal> portals)
    {
        var networks = portals.Select(p => p.Network).OfType<NetworkSettings>().ToList();
        if (networks.Count == 0)
            return script;
        // netX is what was opened last: the card that brought the script, until a storage network is opened.
        script.GotoIfSet(Card, Card).SetText(Card, IpxeScript.Setting("netX/ifname")).Label(Card).Set(Lost, "");
        foreach (var network in networks.Where(n => n.Vlan is not null))
            Tag(script, network.Vlan!.Value, network);
        // Without a tag and without DHCP a router or the link itself leads there.
        if (networks.Any(n => n.Vlan is null && n.Mode != NetworkMode.Off))
            AskOnOtherCards(script);
        return script;
    }

    /// <summary>Attaches the disk by all its portals, or, where a VLAN was not reached, by the first whose network was.</summary>
    /// <param name="onFailure">The label for where no network was reached.</param>
    /// <param name="attach">Appends <c>sanboot</c> or <c>sanhook</c>, which goes to a label of its own where it fails.</param>
    public static IpxeScript Attach(this IpxeScript script, ScriptFacts facts, string onFailure, Action<IpxeScript, IReadOnlyList<IpxeText>> attach)
    {
        const string Fewer = "slipway-fewer", Attached = "slipway-attached";
        if (facts.Portals.Count == 1)
        {
            attach(script, facts.Disks);
            return script;
        }
        script.GotoIfSet(Lost, Fewer);
        attach(script, facts.Disks);
        script.Goto(Attached).Label(Fewer);
        foreach (var (portal, disk) in facts.Portals.Zip(facts.Disks))
        {
            UnlessLost(script, portal, () =>
            {
                attach(script, [disk]);
                script.Goto(Attached);
            });
        }
        return script.Goto(onFailure).Label(Attached);
    }

    /// <summary>Goes on with something for a portal whose VLAN was reached, or that has none.</summary>
    public static void UnlessLost(IpxeScript script, StoragePortal portal, Action append)
    {
        if (portal.Network?.Vlan is not { } vlan)
        {
            append();
            return;
        }
        var lost = LostOf(vlan);
        var past = $"{lost}-{portal.EndPoint.Address.ToString().Replace('.', '-')}";
        script.GotoIfSet(lost, past);
        append();
        script.Label(past);
    }

    private static void Tag(IpxeScript script, ushort vlan, NetworkSettings network)
    {
        var tag = vlan.ToString(CultureInfo.InvariantCulture);
        var device = IpxeScript.Setting(Card) + $"-{tag}";
        var (lost, opened) = (LostOf(vlan), $"slipway-vlan-{tag}");
        script.CreateVlan(vlan, IpxeScript.Setting(Card))
            .SetMtu(device, Math.Min(network.Mtu ?? LongestMtu, LongestMtu))
            .Set(lost, "")
            .Dhcp(device, onFailure: lost)
            .Goto(opened)
            .Label(lost)
            .Echo($"Slipway: no address on the storage network {network.Name}, VLAN {tag}. Does the switch's port carry it tagged?")
            .Set(Lost, 1)
            .Set(lost, 1)
            .Label(opened);
    }

    private static void AskOnOtherCards(IpxeScript script)
    {
        const string Cards = "slipway-cards", Next = "slipway-next-card", NoMore = "slipway-no-more-cards";
        var card = IpxeText.Plain("net") + IpxeScript.Setting(Other);
        script.Set(Other, 0)
            .Label(Cards)
            .GotoIfEqual(card, IpxeScript.Setting(Card), Next)
            .GotoUnlessSet(IpxeScript.SettingOf(card, "mac"), NoMore)
            .Dhcp(card, onFailure: Next)
            .Label(Next)
            .Increment(Other)
            .Goto(Cards)
            .Label(NoMore);
    }

    private static string LostOf(ushort vlan) => string.Create(CultureInfo.InvariantCulture, $"{Lost}-{vlan}");
}
