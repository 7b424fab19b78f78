using System.Buffers.Binary;

namespace Slipway.Scsi.Commands.Optical;

/// <summary>READ TRACK INFORMATION (MMC-6 §6.27), of the one track there is; lead-in and lead-out are none.</summary>
internal static class ReadTrackInformation
{
    private const int ByBlock = 0;
    private const int ByTrack = 1;
    private const int BySession = 2;

    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<CdRomUnit>("READ TRACK INFORMATION", "52 03 FF FF FF FF 00 FF FF 00", CommandTraits.NeedsMedium, Execute),
    ];

    private static ValueTask Execute(CdRomUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        var address = BinaryPrimitives.ReadUInt32BigEndian(task.Cdb[2..]);
        switch (task.Cdb[1] & 3)
        {
            case ByBlock when address < unit.Blocks:
            case ByTrack or BySession when address == 1:
                break;
            case ByBlock:
                return unit.Refuse(task, SenseCode.LogicalBlockAddressOutOfRange);
            case ByTrack or BySession:
                return unit.RefuseField(task, 2);
            default:
                return unit.RefuseField(task, 1, 1);
        }

        Span<byte> data = stackalloc byte[36];
        data.Clear();
        BinaryPrimitives.WriteUInt16BigEndian(data, 34);
        data[2] = data[3] = 1; // track, session
        data[5] = 0x04; // track mode: data, recorded uninterrupted
        data[6] = 0x01; // data mode 1
        BinaryPrimitives.WriteUInt32BigEndian(data[24..], (uint)Math.Min(unit.Blocks, uint.MaxValue));
        return task.Answer(data, BinaryPrimitives.ReadUInt16BigEndian(task.Cdb[7..]));
    }
}
