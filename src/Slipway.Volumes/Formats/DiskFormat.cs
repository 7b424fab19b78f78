using System.Buffers.Binary;
using Slipway.Disks;
using Slipway.Volumes.Qcow2;

namespace Slipway.Volumes.Formats;

/// <summary>Which format a file is in, by its first bytes, and for a fixed VHD its last. What has no mark of its own is raw.</summary>
internal static class DiskFormat
{
    public const string Raw = "raw";

    /// <summary>How many of a file's first bytes decide.</summary>
    public const int MarkBytes = 32;

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
                return await Qcow2Device.OpenAsync(file, (name, _) => throw new DiskFormatException(
                    $"the image has the backing file {name}: make it whole first, with `qemu-img convert -O qcow2`"), cancellation);
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
