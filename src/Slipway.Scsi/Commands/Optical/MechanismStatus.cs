using System.Buffers.Binary;

namespace Slipway.Scsi.Commands.Optical;

/// <summary>MECHANISM STATUS (MMC-6 §6.11): a drive with a tray, not a changer.</summary>
internal static class MechanismStatus
{
    private const byte DoorOpen = 0x10;

    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<CdRomUnit>("MECHANISM STATUS", "BD 00 00 00 00 00 00 00 FF FF 00 00", CommandTraits.None, Execute),
    ];

    private static ValueTask Execute(CdRomUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        ReadOnlySpan<byte> data = [0, unit.Medium.IsEjected ? DoorOpen : (byte)0, 0, 0, 0, 0, 0, 0];
        return task.Answer(data, BinaryPrimitives.ReadUInt16BigEndian(task.Cdb[8..]));
    }
}
