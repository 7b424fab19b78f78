using System.Buffers.Binary;

namespace Slipway.Scsi.Commands.Reports;

/// <summary>
/// REPORT TARGET PORT GROUPS (SPC-4 §6.37). All target ports of a device are in the one group, since every path is active
/// and optimized: paths may be used by turns (SPC-4 §5.15). What never changes cannot be set either: SET TARGET PORT
/// GROUPS is not among the commands, as TPGS 01b of INQUIRY says.
/// </summary>
internal static class ReportTargetPortGroups
{
    /// <summary>Also in the designators of <see cref="Discovery.DeviceIdentification"/>.</summary>
    public const ushort Group = 1;

    private const int LengthOnlyHeader = 0, ExtendedHeader = 1;
    private const byte OptimizedSupported = 0x01;

    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<DiskUnit>("REPORT TARGET PORT GROUPS", "A3 EA 00 00 00 00 FF FF FF FF 00 00", CommandTraits.None, Execute, 0x0A),
    ];

    private static ValueTask Execute(DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        var format = task.Cdb[1] >> 5;
        if (format is not (LengthOnlyHeader or ExtendedHeader))
            return unit.RefuseField(task, 1, 7);
        var ports = nexus.Port.Target.Ports;
        // The longest header, the group, and four bytes for each of up to 255 ports.
        Span<byte> data = stackalloc byte[16 + 4 * byte.MaxValue];
        data.Clear();
        var header = 4;
        if (format == ExtendedHeader)
        {
            data[4] = ExtendedHeader << 4;
            header = 8; // IMPLICIT TRANSITION TIME 0: there are no transitions.
        }

        // §6.37: state 0h, active/optimized, and no reason for a change of it.
        var group = data[header..];
        group[1] = OptimizedSupported;
        BinaryPrimitives.WriteUInt16BigEndian(group[2..], Group);
        group[7] = (byte)ports;
        for (var port = 1; port <= ports; port++)
            BinaryPrimitives.WriteUInt16BigEndian(group[(8 + 4 * (port - 1) + 2)..], (ushort)port);
        var length = header + 8 + 4 * ports;
        BinaryPrimitives.WriteInt32BigEndian(data, length - 4);
        return task.Answer(data[..length], BinaryPrimitives.ReadUInt32BigEndian(task.Cdb[6..]));
    }
}
