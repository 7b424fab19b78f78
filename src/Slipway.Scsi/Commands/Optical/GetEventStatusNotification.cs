using System.Buffers.Binary;

namespace Slipway.Scsi.Commands.Optical;

/// <summary>
/// GET EVENT STATUS NOTIFICATION (MMC-6 §6.7), polled: how hosts learn that a medium came or went. Each nexus learns each
/// move once.
/// </summary>
internal static class GetEventStatusNotification
{
    private const byte Polled = 0x01;
    private const int OperationalChange = 1;
    private const int PowerManagement = 2;
    private const int Media = 4;
    private const int DeviceBusy = 6;
    private const byte Supported = 1 << OperationalChange | 1 << PowerManagement | 1 << Media | 1 << DeviceBusy;
    private const byte NoEventAvailable = 0x80;

    // The length in the header counts what follows it, the header's own rest too: Windows takes less for a broken drive.
    private const byte HeaderRest = 2;
    private const byte DescriptorLength = 4;

    private const byte NewMedia = 2;
    private const byte MediaRemoval = 3;
    private const byte DoorOpen = 0x01;
    private const byte MediaPresent = 0x02;

    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<CdRomUnit>(
            "GET EVENT STATUS NOTIFICATION", "4A 01 00 00 FF 00 00 FF FF 00", CommandTraits.PassesUnitAttention, Execute),
    ];

    private static ValueTask Execute(CdRomUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        // Asynchronous notification would be a command that waits.
        if ((task.Cdb[1] & Polled) == 0)
            return unit.RefuseField(task, 1, 0);
        var wanted = task.Cdb[4] & Supported;
        var allocation = BinaryPrimitives.ReadUInt16BigEndian(task.Cdb[7..]);
        Span<byte> data = stackalloc byte[8];
        data.Clear();
        data[3] = Supported;
        if (wanted == 0)
        {
            data[1] = HeaderRest;
            data[2] = NoEventAvailable;
            return task.Answer(data[..4], allocation);
        }

        // Media is the one class with news; of the others the first in order is answered with none.
        data[1] = HeaderRest + DescriptorLength;
        if ((wanted & 1 << Media) != 0)
        {
            data[2] = Media;
            WriteMedia(unit.Medium, nexus, data[4..], clears: allocation > 4);
        }
        else
        {
            data[2] = (byte)System.Numerics.BitOperations.TrailingZeroCount(wanted);
            data[5] = (byte)(data[2] == PowerManagement ? 1 : 0); // power status: active
        }

        return task.Answer(data, allocation);
    }

    private static void WriteMedia(RemovableMedium medium, UnitNexus nexus, Span<byte> descriptor, bool clears)
    {
        var (moves, isEjected) = (medium.Moves, medium.IsEjected);
        if (nexus.SeenMoves != moves)
            descriptor[0] = isEjected ? MediaRemoval : NewMedia;
        if (clears)
            nexus.SeenMoves = moves;
        descriptor[1] = isEjected ? DoorOpen : MediaPresent;
    }
}
