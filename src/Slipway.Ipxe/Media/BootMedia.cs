using Slipway.Disks;
using Slipway.Disks.Fat;
using Slipway.Disks.Partitions;
using Slipway.Ipxe.Binaries;

namespace Slipway.Ipxe.Media;

/// <summary>
/// Makes a disk image that boots iPXE on any UEFI firmware, U-Boot's included: a GPT with one EFI system partition,
/// iPXE under the default names of its machines, and the script that iPXE runs by itself. Equal input, equal bytes.
/// </summary>
public static class BootMedia
{
    private const long Megabyte = 1 << 20;
    private static readonly Guid DiskId = new("5117a9a7-0000-4d65-8469-610000000001");
    private static readonly Guid PartitionId = new("5117a9a7-0000-4d65-8469-610000000002");

    /// <param name="programs">iPXE programs for UEFI, each of another machine; which one is read from its header.</param>
    /// <param name="script">What becomes <c>autoexec.ipxe</c>.</param>
    public static async ValueTask<MemoryDisk> CreateAsync(
        IEnumerable<ReadOnlyMemory<byte>> programs, ReadOnlyMemory<byte> script, int sectorSize = 512, CancellationToken cancellation = default)
    {
        var files = new FatImage { Label = "SLIPWAY" };
        var names = new HashSet<string>();
        foreach (var program in programs)
        {
            IpxeBinary.RequireEfi(program.Span);
            var machine = IpxeBinary.MachineOf(program.Span)!.Value;
            var name = IpxeBinary.BootFileName(machine)
                ?? throw new BinaryPatchException(BinaryPatchRefusal.Machine, $"UEFI names no default boot program for machine {machine:X4}");
            if (!names.Add(name)) throw new ArgumentException($"two programs would both be {name}: give one for each machine", nameof(programs));
            files.Add($"EFI/BOOT/{name}", program);
        }
        if (names.Count == 0) throw new ArgumentException("boot media need at least one iPXE program", nameof(programs));

        // iPXE looks for autoexec.ipxe beside itself, older builds at the volume's root.
        files.Add("EFI/BOOT/autoexec.ipxe", script);
        files.Add("autoexec.ipxe", script);

        // FAT16 needs 4085 clusters of at least a sector: 2 MiB, or 17 MiB with sectors of 4096.
        var least = sectorSize == 512 ? 4 * Megabyte : 20 * Megabyte;
        var length = Math.Max(least, (files.ContentLength + 2 * Megabyte) / Megabyte * Megabyte);
        var disk = new MemoryDisk(length + 2 * Megabyte);
        var system = new Partition(1, PartitionTypes.EfiSystem, 0, "EFI system", Megabyte, length, PartitionId);
        await GptWriter.WriteAsync(disk, DiskId, [system], sectorSize, cancellation);
        await files.WriteAsync(new(disk, system.Offset, system.Length), sectorSize, cancellation);
        return disk;
    }
}
