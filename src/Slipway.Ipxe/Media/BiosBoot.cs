using System.Buffers.Binary;
using Slipway.Disks;

namespace Slipway.Ipxe.Media;

/// <summary>
/// Puts GRUB where a BIOS starts it: its first sector's code into the master boot record, and its core into the BIOS boot
/// partition of a GPT. Each is told by sector number where the next part lies (GRUB's include/grub/i386/pc/boot.h), as
/// grub-bios-setup does on a disk that the system has.
/// </summary>
public static class BiosBoot
{
    private const int SectorSize = 512;

    // In boot.img: the code up to the disk's signature, where the core's first sector is named, and a test of the drive
    // number, which is switched off for hard disks since some BIOSes pass a wrong one.
    private const int CodeLength = 440, CoreSector = 0x5C, DriveCheck = 0x66;
    private const ushort NoOperations = 0x9090;

    // In the core's first sector: where the rest of it is. Its length and its place in memory are filled in.
    private const int RestSector = 0x1F4;

    /// <param name="boot">GRUB's boot.img.</param>
    /// <param name="core">What grub-mkimage makes for i386-pc.</param>
    /// <exception cref="ArgumentException">The core is larger than the partition.</exception>
    public static async Task InstallAsync(IBlockDevice disk, ReadOnlyMemory<byte> boot, ReadOnlyMemory<byte> core, long partition, long length, CancellationToken cancellation)
    {
        if (core.Length > length)
            throw new ArgumentException($"GRUB's core takes {core.Length} bytes, and there are {length} for it", nameof(core));
        var record = new byte[SectorSize];
        await disk.ReadAsync(0, record, cancellation);
        boot.Span[..CodeLength].CopyTo(record);
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(CoreSector), partition / SectorSize);
        BinaryPrimitives.WriteUInt16LittleEndian(record.AsSpan(DriveCheck), NoOperations);

        var padded = new byte[(core.Length + SectorSize - 1) / SectorSize * SectorSize];
        core.Span.CopyTo(padded);
        BinaryPrimitives.WriteInt64LittleEndian(padded.AsSpan(RestSector), partition / SectorSize + 1);
        await disk.WriteAsync(partition, padded, cancellation);
        await disk.WriteAsync(0, record, cancellation);
    }
}
