using System.Buffers.Binary;

namespace Slipway.Scsi.Commands.Medium;

/// <summary>LOGICAL BLOCK ADDRESS and TRANSFER LENGTH of a CDB, at the places of its length (SPC-4 §4.2.5).</summary>
internal readonly record struct BlockRange(ulong Lba, uint Blocks)
{
    public static BlockRange Decode(ReadOnlySpan<byte> cdb) => (cdb[0] >> 5) switch
    {
        // SBC-2: 21 bits of address; a length of zero is 256.
        0 => new(BinaryPrimitives.ReadUInt32BigEndian(cdb) & 0x1F_FFFF, cdb[4] == 0 ? 256u : cdb[4]),
        1 or 2 => new(BinaryPrimitives.ReadUInt32BigEndian(cdb[2..]), BinaryPrimitives.ReadUInt16BigEndian(cdb[7..])),
        5 => new(BinaryPrimitives.ReadUInt32BigEndian(cdb[2..]), BinaryPrimitives.ReadUInt32BigEndian(cdb[6..])),
        _ => new(BinaryPrimitives.ReadUInt64BigEndian(cdb[2..]), BinaryPrimitives.ReadUInt32BigEndian(cdb[10..])),
    };

    /// <summary>Where the transfer length stands in such a CDB.</summary>
    public static int LengthField(byte operationCode) => (operationCode >> 5) switch
    {
        0 => 4,
        1 or 2 => 7,
        5 => 6,
        _ => 10,
    };

    /// <summary>
    /// Decodes and checks the range of a command that moves blocks; false when <paramref name="task"/> has been refused.
    /// </summary>
    public static bool TryDecode(BlockUnit unit, ScsiTask task, out BlockRange range)
    {
        range = Decode(task.Cdb);
        if (!unit.Holds(range))
            return unit.Deny(task, SenseCode.LogicalBlockAddressOutOfRange);

        // SBC-3 §6.6.3: beyond MAXIMUM TRANSFER LENGTH.
        return range.Blocks <= unit.Limits.Transfer || unit.DenyField(task, LengthField(task.Cdb[0]));
    }
}
