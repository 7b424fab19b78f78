using System.Net;
using System.Net.Sockets;
using Slipway.Fleet.Credentials;
using Slipway.Fleet.Machines;
using Slipway.Ipxe.Scripts;
using Slipway.Server.Site;

namespace Slipway.Server.Boot;

/// <summary>What the script of one boot tells of its machine and its disk.</summary>
/// <param name="Firmware">What the machine has; not <see cref="MachineFirmware.Detect"/>.</param>
/// <param name="Server">The server's root, as the machine reached it.</param>
public sealed record ScriptFacts(MachineSettings Machine, MachineFirmware Firmware, IscsiNames Names, BootCredentials Credentials, IPEndPoint Portal, Uri Server)
{
    /// <summary>The disk as iPXE is told of it (RFC 4173 §5).</summary>
    public string Disk
    {
        get
        {
            var host = Portal.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{Portal.Address}]" : Portal.Address.ToString();
            return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"iscsi:{host}::{Portal.Port}:0:{Names.Target}");
        }
    }

    /// <summary>Whether iPXE can leave an iBFT for the system that it starts.</summary>
    public bool HasIbft => Firmware != MachineFirmware.UBoot;

    /// <summary>What a kernel needs to be told of the disk, with the secrets; empty where the iBFT tells it.</summary>
    public string KernelArguments => HasIbft ? "" : Boot.KernelArguments.Of(Names, Credentials, Portal, new Uri(Server, FirstStageScript.Path + "up"));
}
