using System.Text;
using Slipway.Disks;
using Slipway.Disks.FileSystems;
using Slipway.Disks.Partitions;

namespace Slipway.Server.Boot.Scripts;

/// <summary>
/// GRUB's environment block on a volume, at <see cref="FilePath"/> of its EFI system partition: 1,024 bytes, or some
/// times that, of <c>name=value</c> lines (GRUB manual §15.2 "GRUB environment block"). Under U-Boot no iBFT can tell the kernel where
/// its disk is; GRUB reads the block with <c>load_env</c> and puts <see cref="Variable"/> on the kernel's command line.
/// </summary>
public static class GrubEnvironment
{
    public const string FilePath = "/slipway/grubenv";

    public const string Variable = "slipway_args";

    private const string Header = "# GRUB Environment Block\n";
    private const int Unit = 1024;

    /// <summary>A block with one variable; an empty value leaves it out.</summary>
    /// <param name="size">In bytes.</param>
    /// <exception cref="ArgumentException">The value cannot be in it.</exception>
    public static byte[] Write(string value, int size = Unit)
    {
        var text = new StringBuilder(Header);
        if (value.Length > 0)
        {
            // Its reader takes a backslash as an escape and a line end as the value's end.
            if (value.AsSpan().ContainsAny("\\\n\r\0"))
                throw new ArgumentException("a kernel argument holds no backslash and no line end", nameof(value));
            text.Append(Variable).Append('=').Append(value).Append('\n');
        }
        if (text.Length > size)
            throw new ArgumentException($"the kernel arguments take {text.Length} bytes, and {FilePath} has {size}: make it {(text.Length + Unit - 1) / Unit * Unit} bytes long", nameof(value));
        return Encoding.ASCII.GetBytes(text.Append('#', size - text.Length).ToString());
    }

    /// <summary>Puts the value into the block on a disk, in place. False where the disk has none.</summary>
    /// <exception cref="DiskFormatException">The file is there but is no environment block.</exception>
    public static async Task<bool> SetAsync(IBlockDevice disk, string value, CancellationToken cancellation)
    {
        var table = await PartitionTable.ReadAsync(disk, cancellation);
        await foreach (var (_, fat) in FileSystem.InPartitionsAsync(disk, table, cancellation))
        {
            if (fat.Kind != "vfat" || await fat.FindAsync(FilePath, cancellation) is not { Kind: FileKind.File } file)
                continue;
            if (file.Length is 0 or > Unit * 64 || file.Length % Unit != 0)
                throw new DiskFormatException($"{FilePath} has {file.Length} bytes, not the {Unit}, or some times that, of a GRUB environment block");
            await fat.OverwriteAsync(file, 0, Write(value, (int)file.Length), cancellation);
            await disk.FlushAsync(cancellation);
            return true;
        }
        return false;
    }
}
