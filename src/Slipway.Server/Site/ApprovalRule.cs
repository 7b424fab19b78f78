using System.IO.Enumeration;
using Slipway.Fleet.Machines;
using Slipway.Fleet.Profiles;
using Slipway.Volumes.Store;

namespace Slipway.Server.Site;

/// <summary>
/// A rule that approves unknown machines. All its conditions must hold; what a machine tells of itself is not proven, so
/// a rule is as good as the network that it names.
/// </summary>
public sealed record ApprovalRule
{
    /// <summary>Stands for the twelve digits of the MAC address in <see cref="Name"/>.</summary>
    public const string MacInName = "{mac}";

    public const string DefaultName = "node-" + MacInName;

    /// <summary>A MAC address, or its beginning and <c>*</c>; null: any.</summary>
    public string? Mac { get; init; }

    /// <summary>The name of the network that it asked on; null: any.</summary>
    public string? Network { get; init; }

    /// <summary>As <c>slipway machine list</c> shows it; null: any.</summary>
    public string? Architecture { get; init; }

    public required string Name { get; init; }

    /// <summary>What its disk is cloned from.</summary>
    public required string Image { get; init; }

    /// <summary>What it boots: the name of a profile.</summary>
    public string Profile { get; init; } = BootProfiles.Default;

    public VolumePolicy Policy { get; init; }

    public MachineFirmware Firmware { get; init; }

    public bool Fits(MachineSighting machine) =>
        (Mac is null || FileSystemName.MatchesSimpleExpression(Mac, machine.Mac.ToString()))
        && (Network is null || Network == machine.Network)
        && (Architecture is null || string.Equals(Architecture, machine.Architecture, StringComparison.OrdinalIgnoreCase));

    public string NameFor(MacAddress mac) =>
        Name.Replace(MacInName, mac.ToHyphenated().Replace("-", "", StringComparison.Ordinal), StringComparison.Ordinal);
}
