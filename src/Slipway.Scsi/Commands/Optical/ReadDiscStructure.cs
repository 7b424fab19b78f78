using System.Buffers.Binary;

namespace Slipway.Scsi.Commands.Optical;

/// <summary>READ DISC STRUCTURE (MMC-6 §6.23) of a DVD-ROM: its layout, and that nothing protects it. A CD has none.</summary>
internal static class ReadDiscStructure
{
    private const int HeaderLength = 4;
    private const int PhysicalLength = 2048;
    private const byte Physical = 0x00;
    private const byte Copyright = 0x01;
    private const byte Capabilities = 0xFF;

    /// <summary>The physical sector of block 0.</summary>
    private const uint FirstSector = 0x03_0000;

    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<CdRomUnit>(
            "READ DISC STRUCTURE", "AD 0F FF FF FF FF FF FF FF FF C0 00", CommandTraits.NeedsMedium, Execute),
    ];

    private static ValueTask Execute(CdRomUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        if ((task.Cdb[1] & 0x0F) != 0)
            return unit.RefuseField(task, 1, 3);
        if (!unit.HoldsDvd)
            return unit.Refuse(task, SenseCode.CannotReadMediumIncompatibleFormat);
        if (task.Cdb[6] != 0)
            return unit.RefuseField(task, 6);
        Span<byte> data = stackalloc byte[HeaderLength + PhysicalLength];
        data.Clear();
        int length;
        switch (task.Cdb[7])
        {
            case Physical:
                length = PhysicalLength;
                WritePhysical(unit, data[HeaderLength..]);
                break;
            case Copyright:
                length = 4; // no protection system, playable in all regions
                break;
            case Capabilities:
                // Format, RDS (readable), length of the structure with its header.
                ReadOnlySpan<byte> formats = [Physical, 0x40, 0x08, 0x04, Copyright, 0x40, 0x00, 0x08];
                length = formats.Length;
                formats.CopyTo(data[HeaderLength..]);
                break;
            default:
                return unit.RefuseField(task, 7);
        }

        BinaryPrimitives.WriteUInt16BigEndian(data, (ushort)(length + 2));
        return task.Answer(data[..(HeaderLength + length)], BinaryPrimitives.ReadUInt16BigEndian(task.Cdb[8..]));
    }

    private static void WritePhysical(CdRomUnit unit, Span<byte> layer)
    {
        layer[0] = 0x01; // DVD-ROM, version 1
        layer[1] = 0x0F; // 120 mm, no maximum rate specified
        layer[2] = 0x01; // one layer, embossed
        BinaryPrimitives.WriteUInt32BigEndian(layer[4..], FirstSector);
        BinaryPrimitives.WriteUInt32BigEndian(layer[8..], (uint)Math.Min(FirstSector + unit.Blocks - 1, 0xFF_FFFF));
    }
}
