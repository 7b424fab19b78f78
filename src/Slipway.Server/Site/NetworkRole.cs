namespace Slipway.Server.Site;

/// <summary>What machines find on a network.</summary>
public enum NetworkRole
{
    /// <summary>DHCP, TFTP and HTTPS; the iSCSI target too, where the site has no storage network.</summary>
    Boot,

    /// <summary>The iSCSI target and addresses, and nothing that boots.</summary>
    Storage,
}
