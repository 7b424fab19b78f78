using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Slipway.Fleet.Credentials;
using Slipway.Fleet.Machines;
using Slipway.Ipxe.Scripts;
using Slipway.Server.Site;

namespace Slipway.Server.Boot;

/// <summary>What the script of one boot tells of its machine and its disk.</summary>
/// <param name="Firmware">What the machine has; not <see cref="MachineFirmware.Detect"/>.</param>
/// <param name="Portals">Each of which has the disk.</param>
/// <param name="Server">The server's root, as the machine reached it.</param>
public sealed record ScriptFacts(
    MachineSettings Machine, MachineFirmware Firmware, IscsiNames Names, BootCredentials Credentials, IReadOnlyList<StoragePortal> Portals, Uri Server)
{
    /// <summary>The disk as iPXE is told of it (RFC 4173 §5), by each portal.</summary>
    public IReadOnlyList<IpxeText> Disks => [.. Portals.Select(p => IpxeText.Plain(DiskAt(p.EndPoint)))];

    /// <summary>Whether iPXE can leave an iBFT for the system that it starts.</summary>
    public bool HasIbft => Firmware != MachineFirmware.UBoot;

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
                return Boot.KernelArguments.Of(Names, Credentials, Machine.Mac, Portals, up);
            return Portals.Any(p => p.Network is not null) ? Boot.KernelArguments.Up(up) : "";
        }
    }

    private string DiskAt(IPEndPoint portal)
    {
        var host = portal.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{portal.Address}]" : portal.Address.ToString();
        return string.Create(CultureInfo.InvariantCulture, $"iscsi:{host}::{portal.Port}:0:{Names.Target}");
    }
}
