namespace Slipway.Disks.Partitions;

/// <summary>Partition types that boot disks have: UEFI §5.3.3, the Discoverable Partitions Specification.</summary>
public static class PartitionTypes
{
    public static readonly Guid EfiSystem = new("C12A7328-F81F-11D2-BA4B-00A0C93EC93B");
    public static readonly Guid LinuxFileSystem = new("0FC63DAF-8483-4772-8E79-3D69D8477DE4");
    public static readonly Guid LinuxRootX64 = new("4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709");
    public static readonly Guid LinuxRootArm64 = new("B921B045-1DF0-41C3-AF44-4C6F280D3FAE");
    public static readonly Guid LinuxSwap = new("0657FD6D-A4AB-43C4-84E5-0933C84B4F4F");
    public static readonly Guid BiosBoot = new("21686148-6449-6E6F-744E-656564454649");
    public static readonly Guid MicrosoftBasicData = new("EBD0A0A2-B9E5-4433-87C0-68B6B72699C7");

    private static readonly Dictionary<Guid, string> Names = new()
    {
        [EfiSystem] = "EFI system",
        [LinuxFileSystem] = "Linux file system",
        [LinuxRootX64] = "Linux root (x86-64)",
        [LinuxRootArm64] = "Linux root (ARM-64)",
        [LinuxSwap] = "Linux swap",
        [BiosBoot] = "BIOS boot",
        [MicrosoftBasicData] = "Microsoft basic data",
    };

    public static string NameOf(Guid type) => Names.GetValueOrDefault(type, type.ToString());

    public static string NameOf(byte type) => type switch
    {
        0x01 or 0x04 or 0x06 or 0x0E => "FAT16",
        0x0B or 0x0C => "FAT32",
        0x07 => "NTFS or exFAT",
        0x82 => "Linux swap",
        0x83 => "Linux file system",
        0x8E => "Linux LVM",
        0xEF => "EFI system",
        _ => $"type {type:X2}",
    };
}
