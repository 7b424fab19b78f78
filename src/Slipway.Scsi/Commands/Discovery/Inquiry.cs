using System.Buffers.Binary;

namespace Slipway.Scsi.Commands.Discovery;

/// <summary>INQUIRY (SPC-4 §6.6).</summary>
internal static class Inquiry
{
    private const string Usage = "12 01 FF FF FF 00";
    private const int StandardLength = 74;

    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<BlockUnit>("INQUIRY", Usage, CommandTraits.AlwaysRuns, Execute),
    ];

    public static readonly CommandRow[] AbsentRows =
    [
        CommandRow.For<LogicalUnit>("INQUIRY", Usage, CommandTraits.AlwaysRuns, ExecuteAbsent),
    ];

    private static ValueTask Execute(BlockUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        var allocation = BinaryPrimitives.ReadUInt16BigEndian(task.Cdb[3..]);
        var page = task.Cdb[2];
        if ((task.Cdb[1] & 1) == 0)
            return page == 0 ? AnswerStandard(unit.Identity, nexus, task, unit.DeviceType, unit.Medium is not null, unit.Standards, allocation) : unit.RefuseField(task, 2);

        Span<byte> data = stackalloc byte[VitalProductData.MaxLength];
        var length = VitalProductData.Write(page, unit, nexus, data);
        return length == 0 ? unit.RefuseField(task, 2) : task.Answer(data[..length], allocation);
    }

    // SPC-4 §6.6.2: qualifier 011b, type 1Fh: nothing can be connected here. It has no VPD pages.
    private static ValueTask ExecuteAbsent(LogicalUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        if ((task.Cdb[1] & 1) != 0)
            return unit.Refuse(task, SenseCode.LogicalUnitNotSupported);
        return task.Cdb[2] == 0
            ? AnswerStandard(unit.Identity, nexus, task, 0x7F, isRemovable: false, [], BinaryPrimitives.ReadUInt16BigEndian(task.Cdb[3..]))
            : unit.RefuseField(task, 2);
    }

    private static ValueTask AnswerStandard(
        UnitIdentity identity, UnitNexus nexus, ScsiTask task, byte peripheral, bool isRemovable, ReadOnlySpan<ushort> standards, int allocation)
    {
        Span<byte> data = stackalloc byte[StandardLength];
        data.Clear();
        data[0] = peripheral;
        data[1] = (byte)(isRemovable ? 0x80 : 0);
        data[2] = 0x06; // SPC-4
        data[3] = 0x12; // HISUP (hierarchical LUNs are understood), response data format 2
        data[4] = StandardLength - 5;
        data[5] = (byte)(peripheral == 0x00 ? 0x18 : 0); // disks tell of port groups (TPGS 01b, implicit) and copy for third parties (3PC)
        data[6] = (byte)(nexus.Port.Target.Ports > 1 ? 0x10 : 0); // MULTIP
        data[7] = 0x02; // CMDQUE
        UnitIdentity.WritePadded(identity.Vendor, data.Slice(8, 8));
        UnitIdentity.WritePadded(identity.Product, data.Slice(16, 16));
        UnitIdentity.WritePadded(identity.Revision, data.Slice(32, 4));

        for (var i = 0; i < standards.Length; i++)
            BinaryPrimitives.WriteUInt16BigEndian(data[(58 + 2 * i)..], standards[i]);
        return task.Answer(data, allocation);
    }
}
