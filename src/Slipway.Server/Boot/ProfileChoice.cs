using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Slipway.Fleet.Machines;
using Slipway.Fleet.Profiles;
using Slipway.Fleet.Store;
using Slipway.Server.Site;

namespace Slipway.Server.Boot;

/// <summary>What a machine boots now: what it chose, else what its next boot was to be, else its profile.</summary>
internal sealed partial class ProfileChoice(CurrentSite site, FleetStore store, ILogger logger)
{
    // Which menu a machine was shown last: what it may choose.
    private readonly ConcurrentDictionary<MacAddress, MenuProfile> _menus = [];

    /// <summary>From here on the machine may choose what is in this menu.</summary>
    public void Offer(MachineSettings machine, MenuProfile menu) => _menus[machine.Mac] = menu;

    /// <param name="chosen">What the machine names; null: nothing.</param>
    /// <returns>Null where it may not choose that.</returns>
    public BootProfile? Of(MachineSettings machine, string? chosen)
    {
        var profiles = site.Value.BootProfiles;
        if (chosen is not null)
        {
            var offered = _menus.GetValueOrDefault(machine.Mac) ?? profiles.Find(machine.Profile) as MenuProfile;
            return offered is not null && offered.Entries.Contains(chosen) ? profiles.Find(chosen) : null;
        }
        if (store.BootOnce(machine.Mac) is { } once)
        {
            store.SetBootOnce(machine.Mac, null);
            if (profiles.Find(once) is { } next)
                return next;
            LogNoProfile(machine.Name, once);
        }
        if (profiles.Find(machine.Profile) is { } profile)
            return profile;
        LogNoProfile(machine.Name, machine.Profile);
        return profiles.Find(BootProfiles.Default);
    }

    [LoggerMessage(3007, LogLevel.Warning, "boot: {Machine} is to boot the profile {Profile}, which is not there any more")]
    private partial void LogNoProfile(string machine, string profile);
}
