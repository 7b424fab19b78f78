using System.Buffers.Binary;

namespace Slipway.Scsi.Commands.Optical;

/// <summary>READ DISC INFORMATION (MMC-6 §6.22): a finalized disc with one session.</summary>
internal static class ReadDiscInformation
{
    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<CdRomUnit>("READ DISC INFORMATION", "51 07 00 00 00 00 00 FF FF 00", CommandTraits.NeedsMedium, Execute),
    ];

    private static ValueTask Execute(CdRomUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        // Data Type 000b, standard disc information; the others are of discs that can be written.
        if ((task.Cdb[1] & 7) != 0)
            return unit.RefuseField(task, 1, 2);
        Span<byte> data = stackalloc byte[34];
        data.Clear();
        BinaryPrimitives.WriteUInt16BigEndian(data, 32);
        data[2] = 0x0E; // last session complete, disc finalized
        data[3] = data[4] = data[5] = data[6] = 1; // first track; sessions; first and last track of the last session
        data[7] = 0x20; // URU: for unrestricted use

        // No further session, neither its lead-in nor a last possible lead-out.
        data[16..24].Fill(0xFF);
        return task.Answer(data, BinaryPrimitives.ReadUInt16BigEndian(task.Cdb[7..]));
    }
}
