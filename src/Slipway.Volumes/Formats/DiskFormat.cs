using System.Buffers.Binary;
using Slipway.Disks;
using Slipway.Volumes.Qcow2;
using Slipway.Volumes.Qcow2.Files;
using Slipway.Volumes.Qcow2.Headers;

namespace Slipway.Volumes.Formats;

/// <summary>Which format a file is in, by its first bytes, and for a fixed VHD its last. What has no mark of its own is raw.</summary>
internal static class DiskFormat
{
    public const string Raw = "raw";

    /// <summary>How many of a file's first bytes decide.</summary>
    public const int MarkBytes = 512;

    private const string Convert = "`qemu-img convert -O qcow2` makes a file of it that is read", Unpack = "unpack it first, and import the disk in it";

    // As raw disks they would be images that no machine boots from.
    private static readonly (int At, byte[] Mark, string Name, string Advice)[] NotRead =
    [
        (64, [0x7f, 0x10, 0xda, 0xbe], "vdi", Convert),
        (0, [.. "QED\0"u8], "qed", Convert),
        (0, [.. "WithoutFreeSpace"u8], "parallels", Convert),
        (0, [.. "WithouFreSpacExt"u8], "parallels", Convert),
        (0, [.. "COWD"u8], "vmdk of ESX", Convert),
        (4, [.. "1AY&SY"u8], "bzip2", Unpack),
        (0, [0x04, 0x22, 0x4d, 0x18], "lz4", Unpack),
        (0, [.. "PK\u0003\u0004"u8], "zip", Unpack),
        (0, [.. "7z"u8, 0xbc, 0xaf, 0x27, 0x1c], "7z", Unpack),
        (257, [.. "ustar"u8], "tar (or ova)", Unpack),
    ];

    /// <summary>The format's name, from a file's first bytes.</summary>
    /// <exception cref="DiskFormatException">A format that is known and not read.</exception>
    public static string Detect(ReadOnlySpan<byte> start)
    {
        if (start.Length >= 4 && BinaryPrimitives.ReadInt32BigEndian(start) == Qcow2Header.Magic) return "qcow2";
        if (start.StartsWith(VhdxFormat.FileSignature)) return "vhdx";
        if (VhdImage.IsFooter(start)) return "vhd";
        if (start.StartsWith(VmdkImage.Signature)) return "vmdk";
        if (start.StartsWith("# Disk DescriptorFile"u8))
            throw new DiskFormatException("vmdk: this is only the description of a disk that lies in other files: `qemu-img convert -O qcow2` makes one file of it");
        foreach (var (at, mark, name, advice) in NotRead)
        {
            if (start.Length > at && start[at..].StartsWith(mark)) throw new DiskFormatException($"{name}: this format is not read; {advice}");
        }
        return Raw;
    }

    /// <summary>Opens an image to read; it owns the file. One that stands on another is refused: it would take that along, unseen and changeable.</summary>
    public static async ValueTask<IBlockDevice> OpenAsync(IImageFile file, CancellationToken cancellation)
    {
        var start = new byte[MarkBytes];
        await file.ReadAsync(0, start, cancellation);
        switch (Detect(start))
        {
            case "qcow2":
                var image = await Qcow2Device.OpenAsync(file, (name, _) => throw new DiskFormatException(
                    $"the image has the backing file {name}: make it whole first, with `qemu-img convert -O qcow2`"), cancellation);
                // It can be read, but everything would stand on what is known to be damaged.
                return (image.Header.Features & Qcow2Features.Corrupt) == 0 ? image : throw new DiskFormatException(
                    "qcow2: the image is marked corrupt: `qemu-img check -r all` repairs it, and says what is lost");
            case "vhdx":
                return await VhdxImage.OpenAsync(file, cancellation);
            case "vhd":
                return await VhdImage.OpenAsync(file, cancellation);
            case "vmdk":
                return await VmdkImage.OpenAsync(file, cancellation);
        }
        if (file.Length == 0) throw new DiskFormatException("the file is empty");
        return await IsFixedVhdAsync(file, cancellation) ? await VhdImage.OpenAsync(file, cancellation) : new FixedImage(file, file.Length);
    }

    /// <summary>A fixed VHD is a raw disk with a footer behind it.</summary>
    public static async ValueTask<bool> IsFixedVhdAsync(string path, CancellationToken cancellation)
    {
        await using var file = ImageFile.Open(path, ImageAccess.Look);
        return await IsFixedVhdAsync(file, cancellation);
    }

    private static async ValueTask<bool> IsFixedVhdAsync(IImageFile file, CancellationToken cancellation)
    {
        if (file.Length <= VhdImage.FooterSize) return false;
        var end = new byte[VhdImage.FooterSize];
        await file.ReadAsync(file.Length - end.Length, end, cancellation);
        return VhdImage.FixedSize(end) == file.Length - end.Length;
    }
}
