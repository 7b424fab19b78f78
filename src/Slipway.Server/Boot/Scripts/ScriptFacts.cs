using System.Globalization;
using System.Net;
using Slipway.Fleet.Credentials;
using Slipway.Fleet.Machines;
using Slipway.Ipxe.Scripts;
using Slipway.Server.Site;

namespace Slipway.Server.Boot.Scripts;

/// <summary>What the script of one boot tells of its machine and its disk.</summary>
/// <param name="Firmware">What the machine has; not <see cref="MachineFirmware.Detect"/>.</param>
/// <param name="Client">The machine's own address, and, if it is an IPv6 one, the length of its subnet's prefix.</param>
/// <param name="Portals">Each of which has the disk.</param>
/// <param name="Server">The server's root, as the machine reached it.</param>
public sealed record ScriptFacts(
    MachineSettings Machine, MachineFirmware Firmware, IscsiNames Names, BootCredentials Credentials, (IPAddress Address, int PrefixLength) Client,
    IReadOnlyList<StoragePortal> Portals, Uri Server)
{
    /// <summary>The disk as iPXE is told of it (RFC 4173 §5), by each portal.</summary>
    public IReadOnlyList<IpxeText> Disks => [.. Portals.Select(p => IpxeText.Plain(DiskAt(p)))];

    /// <summary>
    /// Whether iPXE can leave an iBFT for the system that it starts. For IPv6 it leaves a wrong one, with the first four
    /// bytes of the portal's address where an IPv4 one belongs (ibft.c, as of 2.0).
    /// </summary>
    public bool HasIbft => Firmware != MachineFirmware.UBoot && !Portals[0].IsIpv6;

    /// <summary>
    /// What a kernel needs to be told of the disk, with the secrets. Where the iBFT tells it nothing is left but where to
    /// say that the machine is up, which is not beside the disk on a storage network.
    /// </summary>
    public string KernelArguments
    {
        get
        {
            var up = new Uri(Server, FirstStageScript.Path + "up");
            if (!HasIbft)
                return Scripts.KernelArguments.Of(Names, Credentials, Machine.Mac, Client, Portals, up);
            return Portals.Any(p => p.Network is not null) ? Scripts.KernelArguments.Up(up) : "";
        }
    }

    private string DiskAt(StoragePortal portal) =>
        string.Create(CultureInfo.InvariantCulture, $"iscsi:{portal.Host}::{portal.EndPoint.Port}:0:{Names.Target}");
}
