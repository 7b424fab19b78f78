using Slipway.Ipxe.Binaries;

namespace Slipway.Ipxe.Tests;

/// <summary>EFI programs of a few kilobytes that have what the patches look for, as the stock builds have it.</summary>
internal static class Programs
{
    public static readonly byte[] StockRoot = Convert.FromHexString("9faf717b7f8ca2f93c256c79f8ac5591895d66d1ff3bee6397a70d29c65eed1a");

    public static byte[] Efi(ushort machine = IpxeBinary.X64, int roots = 1, int naps = 1)
    {
        var file = new byte[8192];
        "MZ"u8.CopyTo(file);
        file[0x3C] = 0x80;
        "PE\0\0"u8.CopyTo(file.AsSpan(0x80));
        file[0x84] = (byte)machine;
        file[0x85] = (byte)(machine >> 8);
        "iPXE initialising devices"u8.CopyTo(file.AsSpan(0x200));
        for (var i = 0; i < roots; i++) StockRoot.CopyTo(file, 0x400 + i * 0x100);
        byte[] nap = machine switch
        {
            IpxeBinary.X64 => [0x83, 0x3D, 0x12, 0x34, 0x56, 0x78, 0x00, 0x75, 0x01, 0xF4, 0xC3],
            IpxeBinary.Arm64 => [0x40, 0x00, 0x00, 0x35, 0x7F, 0x20, 0x03, 0xD5, 0xC0, 0x03, 0x5F, 0xD6],
            _ => [0x73, 0x00, 0x50, 0x10, 0x82, 0x80],
        };
        for (var i = 0; i < naps; i++) nap.CopyTo(file, 0x1000 + i * 0x40);
        return file;
    }
}
