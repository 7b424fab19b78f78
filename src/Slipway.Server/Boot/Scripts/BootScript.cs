using Slipway.Fleet.Machines;
using Slipway.Ipxe.Scripts;
using Slipway.Server.Site;

namespace Slipway.Server.Boot.Scripts;

/// <summary>
/// What a machine is given before its profile counts. How a script has to be said depends on the firmware; where the site
/// does not say which it is, a first script without secrets looks, and asks on for the one that suits.
/// </summary>
public static class BootScript
{
    // Type 0, offset 4 of SMBIOS: the BIOS vendor's string (SMBIOS §7.1).
    private const string BiosVendor = "smbios/0.4.0";

    private const string UBoot = "uboot", Ibft = "ibft";

    // Kept by every boot manager that has a console to choose (UEFI §3.3); U-Boot has none.
    private const string ConsoleOutVariable = "efi/ConOut";

    /// <summary>Finds out what the firmware is, and asks for <c>MACHINE/uboot</c> or <c>MACHINE/ibft</c> beside itself.</summary>
    public static IpxeScript Detect(MachineSettings machine)
    {
        var mac = machine.Mac.ToHyphenated();
        // U-Boot names itself in its own SMBIOS table; where it passes on another's there may be no vendor in it at all.
        return new IpxeScript()
            .Comment($"Slipway: what firmware does {machine.Name} have?")
            .GotoIfEqual(IpxeScript.Setting("platform"), IpxeText.Plain("pcbios"), Ibft)
            .GotoIfEqual(IpxeScript.Setting(BiosVendor, "string"), IpxeText.Plain("U-Boot"), UBoot)
            .GotoIfSet(BiosVendor, Ibft)
            .GotoIfSet(ConsoleOutVariable, Ibft)
            .Label(UBoot)
            .Chain(IpxeText.Plain($"{mac}/{UBoot}"), replace: true, onFailure: "failed")
            .Label(Ibft)
            .Chain(IpxeText.Plain($"{mac}/{Ibft}"), replace: true, onFailure: "failed")
            .Label("failed")
            .Exit(1);
    }

    /// <summary>For a machine that nobody approved: no disk, no secret; it asks again every ten seconds, for as long as it takes.</summary>
    public static IpxeScript Wait(MacAddress mac) => new IpxeScript()
        .Comment($"Slipway: {mac} is not approved.")
        .Label("again")
        .Echo($"Slipway: this machine is not approved yet. On the server: slipway machine approve {mac}")
        .Sleep(10)
        .Chain(IpxeText.Plain(mac.ToHyphenated()), replace: true, onFailure: "again");

    /// <summary>What the last part of a script's path says; null where it says nothing that is known.</summary>
    public static MachineFirmware? FirmwareOf(string path) => path switch
    {
        UBoot => MachineFirmware.UBoot,
        Ibft => MachineFirmware.Ibft,
        _ => null,
    };
}
