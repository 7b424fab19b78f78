namespace Slipway.Fleet.Machines;

/// <summary>How the machine's firmware hands the disk's parameters on to the operating system.</summary>
public enum MachineFirmware
{
    /// <summary>The script looks: at SMBIOS, and at the variables that a UEFI boot manager keeps.</summary>
    Detect,

    /// <summary>No ACPI table protocol, so no iBFT: the parameters go through GRUB's environment block to the kernel's arguments.</summary>
    UBoot,

    /// <summary>edk2 and its kin, and BIOS: iPXE leaves an iBFT.</summary>
    Ibft,
}

public static class MachineFirmwareNames
{
    /// <summary>The word for it in files, on the command line, in the API and in the database.</summary>
    public static string Name(this MachineFirmware firmware) => firmware switch
    {
        MachineFirmware.UBoot => "uboot",
        MachineFirmware.Ibft => "ibft",
        _ => "detect",
    };

    /// <summary>Null where the word is none of them.</summary>
    public static MachineFirmware? Parse(string word) => word switch
    {
        "uboot" => MachineFirmware.UBoot,
        "ibft" => MachineFirmware.Ibft,
        "detect" => MachineFirmware.Detect,
        _ => null,
    };
}
