namespace Slipway.Server.Site.Yaml;

/// <summary>What each key of a site's file means, for the manual and for editors. That every key has its line is a test's doing.</summary>
internal static class SiteMeanings
{
    // What a subnet on the server's own link and one behind a relay have in common.
    private static readonly Dictionary<string, string> OfSubnets = new()
    {
        ["mode"] = "authoritative: gives addresses; proxy: beside another DHCP server that does; off: no DHCP. A relayed network is as its own network is, where nothing is said",
        ["pool"] = "Ranges of addresses to give, like 10.77.0.100-10.77.0.200",
        ["exclude"] = "Addresses and ranges in the pool that are not given",
        ["router"] = "The default gateway",
        ["dns"] = "Name servers",
        ["ntp"] = "Time servers",
        ["domain"] = "The domain name",
        ["mtu"] = "The link's MTU, where it is not 1500",
        ["routes"] = "Static routes (option 121), like 10.17.0.0/16 via 10.77.0.2",
        ["lease-time"] = "How long an address is given for",
        ["clients-by"] = "What a lease is bound to",
        ["probe"] = "Whether an address is pinged before it is given for the first time; on the server's own link only",
        ["reservations"] = "Addresses kept for one client each, beside those of machines",
        ["reservations[].address"] = "The address",
        ["reservations[].mac"] = "For this network card",
        ["reservations[].uuid"] = "For the machine with this UUID (option 97)",
        ["reservations[].client-id"] = "For this client identifier (option 61): text, or hexadecimal digits after 0x",
        ["reservations[].circuit-id"] = "For what hangs on this port of a relay (option 82.1): text, or hexadecimal digits after 0x",
        ["reservations[].remote-id"] = "With circuit-id: of this relay only (option 82.2)",
        ["reservations[].host-name"] = "Told to the client (option 12)",
    };

    private static readonly Dictionary<string, string> Others = new()
    {
        ["name"] = "Part of the names of all targets",
        ["state"] = "The folder of the database, the certificate authority, images and volumes",
        ["ipxe"] = "The folder of stock iPXE binaries",
        ["tftp"] = "A folder of your own files for TFTP; those in machines/NAME go to that machine only (docs/dhcp.md)",
        ["networks"] = "The networks that this server is on",
        ["machines"] = "The machines, beside those that are approved while the server runs",
        ["profiles"] = "What machines can boot, beside sanboot, direct and local, which are always there",
        ["approve"] = "Rules that approve unknown machines; the first that fits decides",
        ["iscsi"] = "The iSCSI target",
        ["https"] = "Certificates",
        ["networks[].name"] = "What it is called in rules and in the log",
        ["networks[].interface"] = "The network interface of this host",
        ["networks[].address"] = "This server's own address there, with the prefix length",
        ["networks[].role"] = "boot: DHCP, TFTP and HTTPS; storage: the iSCSI target, then on such networks only (docs/storage-networks.md)",
        ["networks[].vlan"] = "storage: the VLAN that a machine's firmware tags for, on the card that it booted from; none: the switch's port does",
        ["networks[].http-boot"] = "How firmware that boots by HTTP is told to fetch its program; https: port 80 is not opened",
        ["networks[].syslog"] = "UDP port on which the machines' syslog is taken into their timelines; DHCP tells of it where it is 514 (docs/syslog.md). off where mode is off and nothing is said",
        ["networks[].relays"] = "Subnets whose DHCP relays send here",
        ["networks[].relays[].name"] = "What it is called",
        ["networks[].relays[].subnet"] = "Its addresses",
        ["networks[].ipv6"] = "The network's IPv6 side",
        ["networks[].ipv6.mode"] = "As of networks, for DHCPv6; as its own network is, where nothing is said",
        ["networks[].ipv6.address"] = "This server's own IPv6 address there, with the prefix length",
        ["networks[].ipv6.pool"] = "The first and the last address that DHCPv6 gives; none: reserved ones only",
        ["networks[].ipv6.dns"] = "Name servers",
        ["networks[].ipv6.reservations"] = "Addresses kept for one network card each",
        ["networks[].ipv6.reservations[].address"] = "The address",
        ["networks[].ipv6.reservations[].mac"] = "For this network card",
        ["networks[].ipv6.relays"] = "Subnets whose DHCPv6 relays send here",
        ["networks[].ipv6.relays[].name"] = "What it is called",
        ["networks[].ipv6.relays[].subnet"] = "Its addresses",
        ["networks[].ipv6.relays[].pool"] = "As above",
        ["machines[].name"] = "Part of the names of its target and its initiator",
        ["machines[].mac"] = "Its network card",
        ["machines[].volume"] = "Its disk: a file (with a '/' or a '.' in it; relative to this file's folder), or a volume in the store",
        ["machines[].profile"] = "What it boots",
        ["machines[].firmware"] = "How its system learns of its disk; detect: iPXE finds out at each boot",
        ["machines[].address"] = "Reserves this address for it",
        ["machines[].faults"] = "What goes wrong with its disk, on purpose (docs/volumes.md)",
        ["machines[].trace"] = "A file to which every call to its disk is written",
        ["machines[].allow-initiators"] = "Initiators that may use its disk, with its secrets, beside its own",
        ["machines[].allow-networks"] = "Where logins to its disk may come from; none: anywhere",
        ["machines[].redirect"] = "Like iscsi.redirect, for its disk",
        ["machines[].client-certificate"] = "required: no script without the machine's client certificate",
        ["profiles[].name"] = "What it is called",
        ["profiles[].kind"] = "What it does (docs/profiles.md); which other keys there are depends on it",
        ["profiles[].title"] = "What a menu calls it; of a menu: its headline",
        ["profiles[].kernel"] = "direct: a path in the volume; where nothing is said, what the boot loader's configuration there names",
        ["profiles[].initrd"] = "direct, with kernel: paths in the volume",
        ["profiles[].arguments"] = "direct: kernel arguments after those that were found",
        ["profiles[].entries"] = "menu: names of profiles, in the order on the screen",
        ["profiles[].default"] = "menu: what is marked at first; the first where nothing is said",
        ["profiles[].timeout"] = "menu: after which the default is booted; none: it waits",
        ["profiles[].script"] = "script: iPXE commands",
        ["approve[].mac"] = "A MAC address, or its beginning and *",
        ["approve[].network"] = "The network that the machine asked on",
        ["approve[].architecture"] = "As slipway machine list shows it",
        ["approve[].name"] = "What it is called; {mac} stands for its twelve digits",
        ["approve[].image"] = "What its disk is cloned from: name or name@version",
        ["approve[].policy"] = "Of the clone; reset: each boot begins with a fresh overlay",
        ["approve[].profile"] = "What it boots",
        ["approve[].firmware"] = "As of machines",
        ["iscsi.redirect"] = "The portal that logins at every other one are sent to; none: each is served where it comes in",
        ["iscsi.advertise"] = "Portals that discovery tells of; none: the address that was asked",
        ["https.certificate"] = "PEM file of the server's certificate, or of a company's authority for this site; none: the site's own authority",
        ["https.key"] = "PEM file of its key",
        ["https.root"] = "PEM file of what is above it",
        ["https.client-certificates"] = "Whether machines are asked for a certificate of their own, and whether they must have one",
    };

    /// <param name="path">As in <see cref="SiteKey.Path"/>. Empty for a key that nobody has described.</param>
    public static string Of(string path)
    {
        if (Others.TryGetValue(path, out var meaning))
            return meaning;
        foreach (var prefix in (string[])["networks[].relays[].", "networks[]."])
        {
            if (path.StartsWith(prefix, StringComparison.Ordinal) && OfSubnets.TryGetValue(path[prefix.Length..], out var common))
                return common;
        }
        return "";
    }
}
