using System.Net;
using Slipway.Fleet.Credentials;
using Slipway.Ipxe.Scripts;
using Slipway.Server.Site;

namespace Slipway.Server.Boot;

/// <summary>The script of one boot of one machine: who it is to the target, both secrets, and <c>sanboot</c>.</summary>
public static class BootScript
{
    // Type 0, offset 4 of SMBIOS: the BIOS vendor's string (SMBIOS §7.1).
    private const string BiosVendor = "smbios/0.4.0";

    // Kept by every boot manager that has a console to choose (UEFI §3.3); U-Boot has none.
    private const string ConsoleOutVariable = "efi/ConOut";

    public static IpxeScript Create(MachineSettings machine, IscsiNames names, BootCredentials credentials, IPEndPoint portal)
    {
        IpxeText disk = IpxeText.Plain($"iscsi:{portal.Address}::{portal.Port}:0:{names.Target}");
        var script = new IpxeScript()
            .Comment($"Slipway: {machine.Name} boots from its disk.")
            .Set("initiator-iqn", names.Initiator)
            .Set("username", credentials.User)
            .Set("password", credentials.Secret)
            .Set("reverse-username", credentials.ReverseUser)
            .Set("reverse-password", credentials.ReverseSecret);
        // Without an ACPI table protocol describing the disk fails, and under U-Boot a second sanboot fails always: the
        // right one has to be the first.
        switch (machine.Firmware)
        {
            case MachineFirmware.UBoot:
                script.SanBoot(disk, new SanBootOptions(NoDescribe: true), "failed");
                break;
            case MachineFirmware.Ibft:
                script.SanBoot(disk, new SanBootOptions(), "failed");
                break;
            default:
                // U-Boot names itself in its own SMBIOS table; where it passes on another's it may have no vendor at all.
                script.GotoIfEqual(IpxeScript.Setting("platform"), IpxeText.Plain("pcbios"), "ibft")
                    .GotoIfEqual(IpxeScript.Setting(BiosVendor, "string"), IpxeText.Plain("U-Boot"), "uboot")
                    .GotoIfSet(BiosVendor, "ibft")
                    .GotoIfSet(ConsoleOutVariable, "ibft")
                    .Label("uboot")
                    .SanBoot(disk, new SanBootOptions(NoDescribe: true), "failed")
                    .Label("ibft")
                    .SanBoot(disk, new SanBootOptions(), "failed");
                break;
        }
        return script
            .Label("failed")
            .Echo($"Slipway: {machine.Name} could not boot from {names.Target}. The line above says why; the server's timeline says more.")
            .Exit(1);
    }
}
