using System.Buffers.Binary;

namespace Slipway.Scsi.Commands.Optical;

/// <summary>READ TOC/PMA/ATIP (MMC-6 §6.26): one session with one data track. A pressed disc has no PMA, ATIP and CD-Text.</summary>
internal static class ReadToc
{
    private const byte Time = 0x02;
    private const byte LeadOut = 0xAA;

    /// <summary>ADR 1, CONTROL 4: a data track, recorded uninterrupted.</summary>
    private const byte DataTrack = 0x14;

    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<CdRomUnit>("READ TOC/PMA/ATIP", "43 02 0F 00 00 00 FF FF FF C0", CommandTraits.NeedsMedium, Execute),
    ];

    private static ValueTask Execute(CdRomUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        // SFF-8020i had the format in the last byte, where Linux still has it.
        var format = task.Cdb[2] & 0x0F;
        if (format == 0)
            format = task.Cdb[9] >> 6;
        var asTime = (task.Cdb[1] & Time) != 0;
        Span<byte> data = stackalloc byte[64];
        data.Clear();
        data[2] = data[3] = 1; // first and last track, or session
        var body = data[4..];
        int length;
        switch (format)
        {
            case 0 when task.Cdb[6] <= 1:
                length = WriteTrack(body, 1, 0, asTime);
                length += WriteTrack(body[length..], LeadOut, unit.Blocks, asTime);
                break;
            case 0 when task.Cdb[6] == LeadOut:
                length = WriteTrack(body, LeadOut, unit.Blocks, asTime);
                break;
            case 0:
                return unit.RefuseField(task, 6);
            case 1:
                length = WriteTrack(body, 1, 0, asTime);
                break;
            case 2 when task.Cdb[6] <= 1:
                length = WriteEntry(body, 0xA0, [0, 1, 0, 0]);
                length += WriteEntry(body[length..], 0xA1, [0, 1, 0, 0]);
                length += WriteEntry(body[length..], 0xA2, Address(unit.Blocks));
                length += WriteEntry(body[length..], 1, Address(0));
                break;
            case 2:
                return unit.RefuseField(task, 6);
            default:
                return unit.RefuseField(task, 2, 3);
        }

        BinaryPrimitives.WriteUInt16BigEndian(data, (ushort)(2 + length));
        return task.Answer(data[..(4 + length)], BinaryPrimitives.ReadUInt16BigEndian(task.Cdb[7..]));
    }

    private static int WriteTrack(Span<byte> descriptor, byte track, ulong start, bool asTime)
    {
        descriptor[1] = DataTrack;
        descriptor[2] = track;
        DiscAddress.Write(descriptor[4..], start, asTime);
        return 8;
    }

    // A raw entry: session, ADR and CONTROL, TNO, POINT, a time in the lead-in, and the point's own.
    private static int WriteEntry(Span<byte> descriptor, byte point, ReadOnlySpan<byte> value)
    {
        descriptor[0] = 1;
        descriptor[1] = DataTrack;
        descriptor[3] = point;
        value.CopyTo(descriptor[7..]);
        return 11;
    }

    private static byte[] Address(ulong block)
    {
        var field = new byte[4];
        DiscAddress.Write(field, block, asTime: true);
        return field;
    }
}
