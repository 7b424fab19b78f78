using System.Security.Cryptography;
using Slipway.Dhcp.Networks;
using Slipway.Fleet.Credentials;
using Slipway.Fleet.Machines;
using Slipway.Server.Site;

namespace Slipway.Demo;

/// <summary>The site of the demo: one network, one machine, and what is wrong with them on purpose.</summary>
internal static class DemoSite
{
    public static MacAddress Mac { get; } = MacAddress.Parse("52:54:00:77:00:01", null);

    public static SiteConfiguration Create(DemoBreak wrong, string state, string ipxe, string volume) => new()
    {
        Name = "demo",
        State = state,
        Ipxe = ipxe,
        Networks =
        [
            new()
            {
                Name = "boot",
                Interface = PrivateNetwork.Bridge,
                Address = PrivateNetwork.Server,
                PrefixLength = PrivateNetwork.PrefixLength,
                Pool = [new AddressRange(PrivateNetwork.FirstLease, PrivateNetwork.LastLease)],
            },
        ],
        Machines = wrong == DemoBreak.UnknownMachine ? [] : [new() { Name = "demo-1", Mac = Mac, Volume = volume }],
        SecretsInScript = SecretsFor(wrong),
        FingerprintInPrograms = wrong == DemoBreak.UntrustedCa ? AnotherAuthority() : null,
    };

    /// <summary>The fingerprint of an authority that nobody has.</summary>
    public static byte[] AnotherAuthority() => SHA256.HashData("Slipway demo: not this site's authority"u8);

    private static Func<BootCredentials, BootCredentials>? SecretsFor(DemoBreak wrong) => wrong switch
    {
        DemoBreak.WrongSecret => right => right with { Secret = BootCredentials.Create("").Secret },
        DemoBreak.WrongReverseSecret => right => right with { ReverseSecret = BootCredentials.Create("").Secret },
        _ => null,
    };
}
