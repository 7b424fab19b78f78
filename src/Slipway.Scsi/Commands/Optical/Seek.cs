using System.Buffers.Binary;

namespace Slipway.Scsi.Commands.Optical;

/// <summary>SEEK(10) (MMC-6 §6.37): every block is as near as every other.</summary>
internal static class Seek
{
    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<CdRomUnit>("SEEK(10)", "2B 00 FF FF FF FF 00 00 00 00", CommandTraits.NeedsMedium, static (unit, _, task, _) =>
            BinaryPrimitives.ReadUInt32BigEndian(task.Cdb[2..]) < unit.Blocks
                ? default
                : unit.Refuse(task, SenseCode.LogicalBlockAddressOutOfRange)),
    ];
}
