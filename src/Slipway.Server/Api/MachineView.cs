using System.Net;
using Slipway.Fleet.Machines;
using Slipway.Fleet.Profiles;
using Slipway.Server.Machines;
using Slipway.Server.Site;
using Slipway.Server.Site.Yaml;
using Slipway.Volumes.Store;

namespace Slipway.Server.Api;

/// <summary>A machine as the API tells it. Secrets are nowhere in it.</summary>
/// <param name="Name">Null where it is not approved.</param>
/// <param name="State"><c>approved</c> or <c>discovered</c>.</param>
/// <param name="ApprovedBy"><c>slipway.yaml</c>, <c>an operator</c>, or which rule; null where nobody did.</param>
/// <param name="Profile">What it boots.</param>
/// <param name="BootOnce">What its next boot is instead; null where nothing else was asked for.</param>
/// <param name="Reserved">Its reserved address.</param>
/// <param name="Address">The address that it was last offered.</param>
/// <param name="Vendor">The firmware's own words (DHCP option 60).</param>
/// <param name="Stage">How far its latest boot is; null where it has not booted since the server started.</param>
/// <param name="Outcome"><c>running</c>, <c>stalled</c> or <c>up</c>.</param>
internal sealed record MachineView(
    string Mac, string? Name, string State, string? ApprovedBy, DateTimeOffset? ApprovedAt, string? Volume, string? Profile, string? BootOnce, string? Firmware, string? Reserved,
    string? Address, string? Network, string? Relay, Guid? Uuid, string? Architecture, string? Vendor,
    DateTimeOffset? FirstSeen, DateTimeOffset? LastSeen, string? Stage, string? Outcome)
{
    public const string Approved = "approved", Discovered = "discovered";

    public static MachineView Of(MacAddress mac, MachineSettings? machine, RegisteredMachine? registration, MachineSighting? seen, Fleet.Boots.Boot? boot, string? once = null) => new(
        mac.ToString(), machine?.Name, machine is null ? Discovered : Approved,
        registration?.ApprovedBy ?? (machine is null ? null : "slipway.yaml"), registration?.ApprovedAt,
        machine?.Volume, machine?.Profile, once, machine?.Firmware.Name(), Text(machine?.Address), Text(seen?.Address), seen?.Network, Text(seen?.Relay), seen?.Uuid,
        seen?.Architecture, seen?.Firmware, seen?.FirstSeen, seen?.LastSeen, boot is null ? null : BootView.NameOf(boot.Stage), boot is null ? null : BootView.NameOf(boot.Outcome));

    private static string? Text(IPAddress? address) => address?.ToString();
}

/// <summary>What an operator says of a machine that is to be approved; see <c>slipway machine approve --help</c>.</summary>
/// <param name="Policy"><c>keep</c> or <c>reset</c>, of a clone.</param>
/// <param name="Firmware"><c>uboot</c>, <c>ibft</c> or <c>detect</c>.</param>
internal sealed record ApprovalRequest(string Name, string? Volume, string? Image, string? Policy, string? Firmware, string? Address, string? Profile = null)
{
    /// <exception cref="MachineRefusedException">A value is not one that there is.</exception>
    public Approval ToApproval()
    {
        if (Policy is not (null or "keep" or "reset"))
            throw new MachineRefusedException($"'{Policy}' is not keep or reset");
        if (MachineFirmwareNames.Parse(Firmware ?? "detect") is not { } firmware)
            throw new MachineRefusedException($"'{Firmware}' is not uboot, ibft or detect");
        var address = Address is { } text ? SiteFile.V4(text) : null;
        if (Address is not null && address is null)
            throw new MachineRefusedException($"'{Address}' is not an IPv4 address");
        return new Approval(Name, Volume, Image, Policy == "reset" ? VolumePolicy.Reset : VolumePolicy.Keep, firmware, address, Profile ?? BootProfiles.Default);
    }
}

/// <param name="Profile">Of the next boot; null takes back what was asked for.</param>
internal sealed record BootOnceRequest(string? Profile);

/// <param name="SentTo">The broadcast addresses that the packet went to.</param>
internal sealed record WakeView(string Mac, IReadOnlyList<string> SentTo);
