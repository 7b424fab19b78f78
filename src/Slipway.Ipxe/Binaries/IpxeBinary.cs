using System.Buffers.Binary;
using System.Text;

namespace Slipway.Ipxe.Binaries;

public enum IpxeBinaryKind
{
    /// <summary>A PE/COFF program for UEFI; nothing in it is compressed.</summary>
    Efi,

    /// <summary>An option ROM or PXE image for BIOS; its code is compressed.</summary>
    Bios,

    /// <summary>A disk or CD image, with programs inside.</summary>
    Container,
    Unknown,
}

/// <summary>What a file that should be iPXE is, by its first bytes.</summary>
public static class IpxeBinary
{
    public const ushort X64 = 0x8664, Arm64 = 0xAA64, RiscV64 = 0x5064, LoongArch64 = 0x6264;

    public static IpxeBinaryKind KindOf(ReadOnlySpan<byte> file)
    {
        if (MachineOf(file) is not null) return IpxeBinaryKind.Efi;
        // PXE network boot programs (.pxe, .kpxe, .kkpxe) start with the far jump to their own segment, ROMs with 55 AA,
        // Linux-style images (.lkrn) have "HdrS" at 514.
        if (file.Length > 64 && (file[..5].SequenceEqual((ReadOnlySpan<byte>)[0xEA, 0x05, 0x00, 0xC0, 0x07]) || file.StartsWith((ReadOnlySpan<byte>)[0x55, 0xAA])
            || IsLinuxImage(file)))
            return IpxeBinaryKind.Bios;
        if ((file.Length > 0x8006 && file.Slice(0x8001, 5).SequenceEqual("CD001"u8)) || (file.Length >= 512 && file[510] == 0x55 && file[511] == 0xAA))
            return IpxeBinaryKind.Container;
        return IpxeBinaryKind.Unknown;
    }

    /// <summary>Whether a boot loader can start it as it does Linux on a BIOS (Linux, Documentation/arch/x86/boot.rst): <c>ipxe.lkrn</c>.</summary>
    public static bool IsLinuxImage(ReadOnlySpan<byte> file) => file.Length > 520 && file.Slice(514, 4).SequenceEqual("HdrS"u8) && MachineOf(file) is null;

    /// <summary>The machine of a PE/COFF file (PE format §3.3.1), null where it is none.</summary>
    public static ushort? MachineOf(ReadOnlySpan<byte> file)
    {
        if (file.Length < 0x40 || !file.StartsWith("MZ"u8)) return null;
        var header = BinaryPrimitives.ReadUInt32LittleEndian(file[0x3C..]);
        if (header > file.Length - 24 || !file.Slice((int)header, 4).SequenceEqual("PE\0\0"u8)) return null;
        return BinaryPrimitives.ReadUInt16LittleEndian(file[((int)header + 4)..]);
    }

    /// <summary>The name under which firmware looks for a default boot program (UEFI §3.5.1.1), null for an unknown machine.</summary>
    public static string? BootFileName(ushort machine) => machine switch
    {
        X64 => "BOOTX64.EFI",
        Arm64 => "BOOTAA64.EFI",
        RiscV64 => "BOOTRISCV64.EFI",
        LoongArch64 => "BOOTLOONGARCH64.EFI",
        0x014C => "BOOTIA32.EFI",
        0x01C2 or 0x01C4 => "BOOTARM.EFI",
        _ => null,
    };

    /// <summary>Refuses, with the reason, every file whose bytes cannot be patched as they are.</summary>
    internal static void RequireEfi(ReadOnlySpan<byte> file)
    {
        switch (KindOf(file))
        {
            case IpxeBinaryKind.Bios:
                throw new BinaryPatchException(BinaryPatchRefusal.Compressed,
                    "this is an iPXE for BIOS, and one for UEFI is expected (of those for BIOS, boot media take ipxe.lkrn)");
            case IpxeBinaryKind.Container:
                throw new BinaryPatchException(BinaryPatchRefusal.Container,
                    "this is a disk or CD image: patch the .efi files, and make an image of them with `slipway firmware media`");
            case IpxeBinaryKind.Unknown:
                var start = file.Length == 0 ? "it is empty" : $"it starts with {Convert.ToHexStringLower(file[..Math.Min(8, file.Length)])}";
                throw new BinaryPatchException(BinaryPatchRefusal.NotIpxe, $"this is neither an EFI program nor an iPXE for BIOS: {start}");
        }
    }

    internal static bool NamesItself(ReadOnlySpan<byte> file) =>
        file.IndexOf("iPXE"u8) >= 0 || file.IndexOf(Encoding.Unicode.GetBytes("iPXE")) >= 0;
}
