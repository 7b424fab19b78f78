namespace Slipway.Server.Site;

/// <summary>What part client certificates play.</summary>
public enum ClientCertificateUse
{
    /// <summary>
    /// Not asked for. The default, since iPXE of before April 2025 gives up where it is asked for one and has none
    /// (ipxe/ipxe pull request 1437).
    /// </summary>
    Off,

    /// <summary>Asked for; who has none is known by its address.</summary>
    Optional,

    /// <summary>Nobody gets a disk without one.</summary>
    Required,
}
