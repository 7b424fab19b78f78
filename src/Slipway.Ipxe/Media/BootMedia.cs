using Slipway.Disks;
using Slipway.Disks.Fat;
using Slipway.Disks.Iso;
using Slipway.Disks.Partitions;
using Slipway.Ipxe.Binaries;

namespace Slipway.Ipxe.Media;

/// <summary>
/// Boot media: a FAT volume with iPXE under the default names of its machines, which any UEFI firmware starts, U-Boot's
/// included, and the script that iPXE runs by itself; on a disk, an SD card or a CD; on disk and CD with what a BIOS starts too,
/// where there is an iPXE for it. Equal input, equal bytes.
/// </summary>
public sealed class BootMedia
{
    /// <summary>The volume's.</summary>
    internal const string Label = "SLIPWAY";

    /// <summary>The iPXE for BIOS, on the volume.</summary>
    internal const string BiosProgram = "ipxe.lkrn";

    private const long Megabyte = 1 << 20;

    // Of the BIOS boot partition: the core for disks, then that for CDs.
    private const long BiosLength = Megabyte, CdCore = BiosLength / 2, CdSector = 2048;
    private static readonly Guid DiskId = new("5117a9a7-0000-4d65-8469-610000000001");
    private static readonly Guid PartitionId = new("5117a9a7-0000-4d65-8469-610000000002");

    private static readonly Guid BiosPartitionId = new("5117a9a7-0000-4d65-8469-610000000003");

    private readonly FatImage _files = new() { Label = Label };
    private readonly BiosLoader? _bios;

    /// <param name="programs">iPXE programs for UEFI, each of another machine; which one is read from its header. And with a loader one for BIOS.</param>
    /// <param name="script">What becomes <c>autoexec.ipxe</c>.</param>
    /// <param name="bios">What loads the one for BIOS.</param>
    /// <exception cref="BinaryPatchException">A program is not for UEFI, nor for the loader.</exception>
    /// <exception cref="ArgumentException">There are two for one machine, or none.</exception>
    public BootMedia(IEnumerable<ReadOnlyMemory<byte>> programs, ReadOnlyMemory<byte> script, BiosLoader? bios = null)
    {
        _bios = bios;
        var names = new HashSet<string>();
        foreach (var program in programs)
        {
            if (bios is not null && IpxeBinary.IsLinuxImage(program.Span))
            {
                if (!names.Add(BiosProgram)) throw new ArgumentException("two programs are for BIOS: give one", nameof(programs));
                _files.Add(BiosProgram, program);
                continue;
            }
            IpxeBinary.RequireEfi(program.Span);
            var machine = IpxeBinary.MachineOf(program.Span)!.Value;
            var name = IpxeBinary.BootFileName(machine)
                ?? throw new BinaryPatchException(BinaryPatchRefusal.Machine, $"UEFI names no default boot program for machine {machine:X4}");
            if (!names.Add(name)) throw new ArgumentException($"two programs would both be {name}: give one for each machine", nameof(programs));
            _files.Add($"EFI/BOOT/{name}", program);
        }
        if (names.Count == 0) throw new ArgumentException("boot media need at least one iPXE program", nameof(programs));
        BootFiles = names;

        // iPXE looks for autoexec.ipxe beside itself, older builds at the volume's root.
        _files.Add("EFI/BOOT/autoexec.ipxe", script);
        _files.Add("autoexec.ipxe", script);
    }

    /// <summary>The names that the programs have.</summary>
    public IReadOnlySet<string> BootFiles { get; }

    /// <summary>Adds a file, like <c>boot.scr</c>.</summary>
    public void Add(string path, ReadOnlyMemory<byte> content) => _files.Add(path, content);

    /// <summary>With a GPT.</summary>
    public async ValueTask<MemoryDisk> WriteDiskAsync(int sectorSize = 512, CancellationToken cancellation = default)
    {
        var (disk, system) = Layout(Megabyte, sectorSize);
        await WritePartitionedAsync(disk, system, sectorSize, cancellation);
        return disk;
    }

    /// <summary>With an MBR, for boards.</summary>
    /// <param name="loaders">What the board's ROM looks for, outside of any partition.</param>
    /// <exception cref="ArgumentException">Loaders overlap each other or the partition table.</exception>
    public async ValueTask<MemoryDisk> WriteSdAsync(IReadOnlyList<BoardLoader> loaders, CancellationToken cancellation = default)
    {
        long end = 512;
        foreach (var loader in loaders.OrderBy(l => l.Offset))
        {
            if (loader.Offset < end) throw new ArgumentException($"what is to be at {loader.Offset} begins before {end}, where the partition table or another loader ends", nameof(loaders));
            end = loader.Offset + loader.Content.Length;
        }
        var (disk, system) = Layout(Math.Max(Megabyte, (end + Megabyte - 1) / Megabyte * Megabyte), 512);
        await MbrWriter.WriteAsync(disk, BitConverter.ToUInt32(DiskId.ToByteArray()), system, cancellation: cancellation);
        foreach (var loader in loaders)
            await disk.WriteAsync(loader.Offset, loader.Content, cancellation);
        await _files.WriteAsync(system, cancellation: cancellation);
        return disk;
    }

    /// <summary>As a CD, which is a disk with a GPT too: the same file can be written to a USB stick.</summary>
    public async ValueTask<MemoryDisk> WriteIsoAsync(CancellationToken cancellation = default)
    {
        var (disk, system) = Layout(Megabyte, 512);
        await WritePartitionedAsync(disk, system, 512, cancellation);
        DiskRegion? bios = null;
        if (_bios is { } loader)
        {
            var region = new DiskRegion(disk, system.Start + system.Length + CdCore, (loader.CdCore.Length + CdSector - 1) / CdSector * CdSector);
            if (region.Length > CdCore) throw new ArgumentException($"GRUB's core for CDs takes {loader.CdCore.Length} bytes, and there are {CdCore} for it");
            await disk.WriteAsync(region.Start, loader.CdCore, cancellation);
            bios = region;
        }
        await IsoBootWriter.WriteAsync(disk, Label, system, bios, cancellation);
        return disk;
    }

    private (MemoryDisk Disk, DiskRegion System) Layout(long offset, int sectorSize)
    {
        // FAT16 needs 4085 clusters of at least a sector: 2 MiB, or 17 MiB with sectors of 4096.
        var least = sectorSize == 512 ? 4 * Megabyte : 20 * Megabyte;
        var length = Math.Max(least, (_files.ContentLength + 2 * Megabyte) / Megabyte * Megabyte);
        var disk = new MemoryDisk(offset + length + (_bios is null ? 0 : BiosLength) + Megabyte);
        return (disk, new DiskRegion(disk, offset, length));
    }

    private async ValueTask WritePartitionedAsync(MemoryDisk disk, DiskRegion system, int sectorSize, CancellationToken cancellation)
    {
        var end = system.Start + system.Length;
        List<Partition> partitions = [new(1, PartitionTypes.EfiSystem, 0, "EFI system", system.Start, system.Length, PartitionId)];
        if (_bios is not null)
            partitions.Add(new(2, PartitionTypes.BiosBoot, 0, "BIOS boot", end, BiosLength, BiosPartitionId));
        await GptWriter.WriteAsync(disk, DiskId, partitions, sectorSize, cancellation);
        if (_bios is { } loader)
            await BiosBoot.InstallAsync(disk, loader.Boot, loader.Core, end, CdCore, cancellation);
        await _files.WriteAsync(system, sectorSize, cancellation);
    }
}
