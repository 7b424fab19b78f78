using System.Buffers.Binary;
using System.Text;

namespace Slipway.Disks.Iso;

/// <summary>
/// Writes what makes a disk image bootable as a CD too: an ISO 9660 volume (ECMA-119) with one file, which is a FAT volume
/// that lies in the image, and the El Torito catalog by which UEFI finds it (UEFI §13.3.2.1), and a BIOS its own program. The first 32 KiB are left
/// alone: a partition table fits there.
/// </summary>
public static class IsoBootWriter
{
    private const int Sector = 2048;
    private const int Descriptor = 16, BootRecord = 17, Terminator = 18, PathTable = 19, BigPathTable = 20, Root = 21, Catalog = 22;

    /// <summary>Where the FAT volume may begin, in bytes.</summary>
    public const long FirstFree = (Catalog + 1) * Sector;

    /// <param name="disk">A multiple of 2048 bytes long.</param>
    /// <param name="label">Up to 32 capital letters, digits and <c>_</c>.</param>
    /// <param name="system">The FAT volume.</param>
    /// <param name="bios">A program for a BIOS, which is told where it lies as mkisofs' <c>-boot-info-table</c> tells it; null for none.</param>
    public static async ValueTask WriteAsync(IBlockDevice disk, string label, DiskRegion system, DiskRegion? bios = null, CancellationToken cancellation = default)
    {
        if (system.Start % Sector != 0 || system.Start < FirstFree || disk.Length % Sector != 0)
            throw new ArgumentException($"the FAT volume and the disk's end must be on sectors of {Sector} bytes, from {FirstFree} on", nameof(system));
        await WriteAt(Descriptor, PrimaryDescriptor(label, (uint)(disk.Length / Sector)));
        await WriteAt(BootRecord, ElToritoRecord());
        await WriteAt(Terminator, [255, .. "CD001"u8, 1]);
        await WriteAt(PathTable, [1, 0, .. Little(Root), 1, 0, 0, 0]);
        await WriteAt(BigPathTable, [1, 0, .. Big(Root), 0, 1, 0, 0]);
        await WriteAt(Root,
        [
            .. Record([0], Root, Sector, directory: true), .. Record([1], Root, Sector, directory: true),
            .. Record("BOOT.CAT;1"u8, Catalog, Sector), .. Record("EFI.IMG;1"u8, (uint)(system.Start / Sector), (uint)system.Length),
        ]);
        await WriteAt(Catalog, BootCatalog(system, bios));
        if (bios is { } program)
            await WriteBootInformationAsync(program, cancellation);

        ValueTask WriteAt(long sector, byte[] content) => disk.WriteAsync(sector * Sector, content, cancellation);
    }

    // ECMA-119 §8.4.
    private static byte[] PrimaryDescriptor(string label, uint sectors)
    {
        var block = new byte[Sector];
        block.AsSpan(8, 64).Fill((byte)' ');
        block.AsSpan(190, 623).Fill((byte)' ');
        ReadOnlySpan<byte> start = [1, .. "CD001"u8, 1];
        start.CopyTo(block);
        Encoding.ASCII.GetBytes(label, block.AsSpan(40, 32));
        Both(sectors).CopyTo(block, 80);
        Both16(1).CopyTo(block, 120);
        Both16(1).CopyTo(block, 124);
        Both16(Sector).CopyTo(block, 128);
        Both(10).CopyTo(block, 132);
        Little(PathTable).CopyTo(block, 140);
        Big(BigPathTable).CopyTo(block, 148);
        Record([0], Root, Sector, directory: true).CopyTo(block, 156);
        // Dates are fixed, so that the same content gives the same bytes.
        foreach (var at in (int[])[813, 830])
            "2026010100000000"u8.CopyTo(block.AsSpan(at));
        foreach (var at in (int[])[847, 864])
            "0000000000000000"u8.CopyTo(block.AsSpan(at));
        block[881] = 1;
        return block;
    }

    // El Torito §2.0.
    private static byte[] ElToritoRecord()
    {
        var block = new byte[Sector];
        ReadOnlySpan<byte> start = [0, .. "CD001"u8, 1, .. "EL TORITO SPECIFICATION"u8];
        start.CopyTo(block);
        Little(Catalog).CopyTo(block, 71);
        return block;
    }

    // El Torito §2.1 to §2.5: platform 0 is a BIOS's, EF is UEFI's; no emulation.
    private static byte[] BootCatalog(DiskRegion system, DiskRegion? bios)
    {
        const byte Bios = 0, Uefi = 0xEF, LastHeader = 0x91;
        var block = new byte[Sector];
        block[0] = 1;
        block[1] = bios is null ? Uefi : Bios;
        "Slipway"u8.CopyTo(block.AsSpan(4));
        block[30] = 0x55;
        block[31] = 0xAA;
        ushort sum = 0;
        for (var i = 0; i < 32; i += 2)
            sum += BinaryPrimitives.ReadUInt16LittleEndian(block.AsSpan(i));
        BinaryPrimitives.WriteUInt16LittleEndian(block.AsSpan(28), (ushort)-sum);
        // In sectors of 512 bytes. What 16 bits cannot say is 0: as far as the disk goes.
        var length = system.Length / 512 is <= ushort.MaxValue and var count ? (ushort)count : (ushort)0;
        if (bios is not { } program)
        {
            Entry(system, length).CopyTo(block, 32);
            return block;
        }
        // A BIOS loads the program's first sector, which loads the rest.
        Entry(program, Sector / 512).CopyTo(block, 32);
        (block[64], block[65], block[66]) = (LastHeader, Uefi, 1);
        Entry(system, length).CopyTo(block, 96);
        return block;
    }

    private static byte[] Entry(DiskRegion program, ushort sectors)
    {
        var entry = new byte[32];
        entry[0] = 0x88;
        BinaryPrimitives.WriteUInt16LittleEndian(entry.AsSpan(6), sectors);
        Little((uint)(program.Start / Sector)).CopyTo(entry, 8);
        return entry;
    }

    // mkisofs(8): from the program's 8th byte on, where the volume descriptor is, where the program is, its length, and the sum of
    // what follows these 64 bytes.
    private static async ValueTask WriteBootInformationAsync(DiskRegion program, CancellationToken cancellation)
    {
        const int Table = 8, Summed = 64;
        var content = new byte[program.Length];
        await program.ReadAsync(0, content, cancellation);
        uint sum = 0;
        for (var i = Summed; i < content.Length; i += sizeof(uint))
            sum += BinaryPrimitives.ReadUInt32LittleEndian(content.AsSpan(i));
        await program.Disk.WriteAsync(program.Start + Table, (byte[])[.. Little(Descriptor), .. Little((uint)(program.Start / Sector)), .. Little((uint)program.Length), .. Little(sum)], cancellation);
    }

    // ECMA-119 §9.1.
    private static byte[] Record(ReadOnlySpan<byte> name, uint sector, uint length, bool directory = false)
    {
        var record = new byte[(33 + name.Length + 1) / 2 * 2];
        record[0] = (byte)record.Length;
        Both(sector).CopyTo(record, 2);
        Both(length).CopyTo(record, 10);
        ReadOnlySpan<byte> date = [126, 1, 1, 0, 0, 0, 0];
        date.CopyTo(record.AsSpan(18));
        record[25] = directory ? (byte)2 : (byte)0;
        Both16(1).CopyTo(record, 28);
        record[32] = (byte)name.Length;
        name.CopyTo(record.AsSpan(33));
        return record;
    }

    private static byte[] Both(uint value) => [.. Little(value), .. Big(value)];

    private static byte[] Both16(ushort value) => [(byte)value, (byte)(value >> 8), (byte)(value >> 8), (byte)value];

    private static byte[] Little(uint value) => [(byte)value, (byte)(value >> 8), (byte)(value >> 16), (byte)(value >> 24)];

    private static byte[] Big(uint value) => [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];
}
