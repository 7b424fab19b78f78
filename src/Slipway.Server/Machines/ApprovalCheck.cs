using Slipway.Dhcp.Networks;
using Slipway.Fleet.Machines;
using Slipway.Server.Site;

namespace Slipway.Server.Machines;

/// <summary>What an approval may say, beside what the site and the machines that are there say already.</summary>
internal sealed class ApprovalCheck(CurrentSite current, MachineDirectory directory)
{
    /// <exception cref="MachineRefusedException">It contradicts itself, or takes what is another machine's.</exception>
    public void Check(MacAddress mac, Approval approval)
    {
        if (directory.Find(mac) is { } known)
            throw new MachineRefusedException($"{mac} is approved already, as {known.Name}");
        if (!SiteName.IsValid(approval.Name))
            throw new MachineRefusedException($"'{approval.Name}' is no name for a machine: {SiteName.Rule}");
        if (directory.Named(approval.Name) is { } other)
            throw new MachineRefusedException($"{approval.Name} is the name of {other.Mac}");
        if (approval.Volume is null == approval.Image is null)
            throw new MachineRefusedException("a machine needs a volume that is there, or an image to clone, and not both");
        var volume = approval.Volume ?? approval.Name;
        if (volume.Contains('/', StringComparison.Ordinal) && !Path.IsPathRooted(volume))
            throw new MachineRefusedException($"'{volume}' is not an absolute path");
        CheckProfile(approval.Profile);
        if (directory.All.FirstOrDefault(m => m.Volume == volume) is { } user)
            throw new MachineRefusedException($"the volume {volume} is {user.Name}'s");
    }

    /// <exception cref="MachineRefusedException">There is no such profile.</exception>
    public void CheckProfile(string profile)
    {
        if (current.Value.BootProfiles is var profiles && profiles.Find(profile) is null)
            throw new MachineRefusedException($"there is no profile '{profile}'; there are {profiles.Names}");
    }

    /// <summary>The networks as they are once the machine is there, with its reservation.</summary>
    /// <exception cref="MachineRefusedException">Its address is in none of them, or taken.</exception>
    public IReadOnlyList<DhcpNetwork> NetworksWith(MachineSettings machine)
    {
        var site = current.Value;
        if (machine.Address is { } address && !site.Networks.Any(n => n.Subnet.Contains(address) || n.Relays.Any(r => r.Subnet.Contains(address))))
            throw new MachineRefusedException($"{address} is in no network of this site");
        try
        {
            return SiteNetworks.Of(site with { Machines = [.. directory.All, machine] });
        }
        catch (SiteConfigurationException e)
        {
            throw new MachineRefusedException(e.Message, e);
        }
    }
}
