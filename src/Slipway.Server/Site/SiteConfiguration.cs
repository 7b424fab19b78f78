using System.Net;
using Slipway.Fleet.Credentials;
using Slipway.Fleet.Machines;
using Slipway.Fleet.Profiles;
using Slipway.Server.Site.Yaml;
using Slipway.Volumes.Layers;

namespace Slipway.Server.Site;

/// <summary>What an operator writes into <c>slipway.yaml</c>: networks, and the machines on them.</summary>
public sealed record SiteConfiguration
{
    /// <summary>Part of every target's name: lower-case letters, digits, <c>-</c> and <c>.</c>.</summary>
    public string Name { get; init; } = "site";

    /// <summary>What it was read from; null where it was made otherwise.</summary>
    public SiteText? Source { get; init; }

    /// <summary>The folder of the database, the certificate authority and what else outlives a restart.</summary>
    public required string State { get; init; }

    /// <summary>A folder with stock iPXE binaries under Debian's names; what is not there is not served by TFTP.</summary>
    public string Ipxe { get; init; } = "/usr/lib/ipxe";

    /// <summary>A folder with the operator's own files for TFTP; null for none.</summary>
    public string? Tftp { get; init; }

    public IReadOnlyList<NetworkSettings> Networks { get; init; } = [];

    /// <summary>Where disks are, and only there; empty: on every network.</summary>
    public IEnumerable<NetworkSettings> StorageNetworks => Networks.Where(n => n.Role == NetworkRole.Storage);

    /// <summary>The addresses of the iSCSI target.</summary>
    internal IReadOnlyList<IPAddress> TargetAddresses =>
        [.. (StorageNetworks.Any() ? StorageNetworks : Networks).SelectMany(n => n.Addresses)];

    public IReadOnlyList<MachineSettings> Machines { get; init; } = [];

    /// <summary>The site's own; <see cref="BootProfiles"/> has the built-in ones too.</summary>
    public IReadOnlyList<BootProfile> Profiles { get; init; } = [];

    public BootProfiles BootProfiles => new(Profiles);

    /// <summary>Which unknown machines are approved without anybody's doing; the first that fits decides.</summary>
    public IReadOnlyList<ApprovalRule> Approve { get; init; } = [];

    /// <summary>The server's certificate from elsewhere; null: the site's own authority issues it.</summary>
    public CertificateFileSettings? Certificate { get; init; }

    /// <summary>Of all machines.</summary>
    public ClientCertificateUse ClientCertificates { get; init; }

    /// <summary>Portals that iSCSI discovery tells (port 0: the one that was asked); where none, the address that was asked.</summary>
    public IReadOnlyList<IPEndPoint> Advertise { get; init; } = [];

    /// <summary>The portal that logins are sent to from every other one (port 0: the one that was asked); null: nobody is sent anywhere.</summary>
    public IPEndPoint? Redirect { get; init; }

    /// <summary>How firmware that boots by HTTP is told to fetch its program from one of this server's addresses: <c>http</c> or <c>https</c>.</summary>
    internal string BootSchemeAt(IPAddress address) =>
        Networks.Any(n => n.Addresses.Contains(address) && n.HttpBoot == HttpBootScheme.Https) ? "https" : "http";

    /// <summary>
    /// What a machine's script says instead of its secrets: how the demo shows a boot that fails. Null outside of it.
    /// </summary>
    internal Func<BootCredentials, BootCredentials>? SecretsInScript { get; init; }

    /// <summary>Whom the iPXE that TFTP serves trusts instead of this site's authority; for the same.</summary>
    internal byte[]? FingerprintInPrograms { get; init; }
}

/// <summary>Where a company's certificate is: its authority for this site, or the server's own. All PEM.</summary>
/// <param name="Certificate">The certificate, and what is above it.</param>
/// <param name="Key">Of the first certificate; not encrypted.</param>
/// <param name="Root">What is above what the first file has; null where that has all.</param>
public sealed record CertificateFileSettings(string Certificate, string Key, string? Root);

public sealed record MachineSettings
{
    /// <summary>Part of the names of its target and its initiator: lower-case letters, digits, <c>-</c> and <c>.</c>.</summary>
    public required string Name { get; init; }

    public required MacAddress Mac { get; init; }

    /// <summary>An absolute path of the disk, a raw file or qcow2; or the name of a volume in the store under <see cref="SiteConfiguration.State"/>.</summary>
    public required string Volume { get; init; }

    /// <summary>What goes wrong with the disk, on purpose (<see cref="FaultRuleText"/>).</summary>
    public IReadOnlyList<FaultRule> Faults { get; init; } = [];

    /// <summary>A file that every call to the disk is written to; null for none.</summary>
    public string? Trace { get; init; }

    /// <summary>What it boots: the name of a profile.</summary>
    public string Profile { get; init; } = BootProfiles.Default;

    public MachineFirmware Firmware { get; init; }

    /// <summary>Initiators that may use its disk, with its secrets, besides its own.</summary>
    public IReadOnlyList<string> AllowInitiators { get; init; } = [];

    /// <summary>Networks that logins to its disk come from; empty: any.</summary>
    public IReadOnlyList<IPNetwork> AllowNetworks { get; init; } = [];

    /// <summary>As <see cref="SiteConfiguration.Redirect"/>, which counts where this is null.</summary>
    public IPEndPoint? Redirect { get; init; }

    /// <summary>Its reserved address; one of the pool where null.</summary>
    public IPAddress? Address { get; init; }

    /// <summary>It gets no script and no secret without its client certificate.</summary>
    public bool NeedsClientCertificate { get; init; }
}
