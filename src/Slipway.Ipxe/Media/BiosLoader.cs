namespace Slipway.Ipxe.Media;

/// <summary>GRUB, which loads iPXE (<c>ipxe.lkrn</c>) and its script where there is a BIOS.</summary>
/// <param name="Boot">Its first sector on a disk: boot.img.</param>
/// <param name="Core">The rest on a disk: what grub-mkimage makes for i386-pc.</param>
/// <param name="CdCore">All of it on a CD: what grub-mkimage makes for i386-pc-eltorito.</param>
public sealed record BiosLoader(ReadOnlyMemory<byte> Boot, ReadOnlyMemory<byte> Core, ReadOnlyMemory<byte> CdCore)
{
    /// <summary>What a core is to run at once, on a disk, which may have the CD's file system beside.</summary>
    public static string DiskScript { get; } = Script($"search.file /{BootMedia.BiosProgram} root");

    /// <summary>On a CD the FAT volume is a file.</summary>
    public static string CdScript { get; } = Script("search.file /EFI.IMG cd\nloopback media ($cd)/EFI.IMG\nset root=media");

    /// <summary>What a core needs to run them.</summary>
    public static IReadOnlyList<string> Modules { get; } = ["biosdisk", "part_gpt", "fat", "iso9660", "loopback", "search_fs_file", "linux16"];

    // iPXE takes a script for its initial RAM disk.
    private static string Script(string find) => $"{find}\nlinux16 ($root)/{BootMedia.BiosProgram}\ninitrd16 ($root)/autoexec.ipxe\nboot\n";
}
