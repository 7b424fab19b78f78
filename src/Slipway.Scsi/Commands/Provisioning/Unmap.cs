using System.Buffers.Binary;
using Slipway.Scsi.Commands.Medium;

namespace Slipway.Scsi.Commands.Provisioning;

/// <summary>UNMAP (SBC-3 §5.28). ANCHOR is refused: the unit anchors nothing.</summary>
internal static class Unmap
{
    private const int HeaderLength = 8;
    private const int DescriptorLength = 16;

    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<DiskUnit>("UNMAP", "42 00 00 00 00 00 1F FF FF 00", CommandTraits.WritesMedium, Execute),
    ];

    private static ValueTask Execute(DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        var length = BinaryPrimitives.ReadUInt16BigEndian(task.Cdb[7..]);
        task.TransferLength = length;

        // SPC-4 §4.2.5.5: a length of zero is no error.
        if (length == 0)
            return default;
        if (length < HeaderLength || task.DataOut.Length < length)
            return unit.Refuse(task, SenseCode.ParameterListLengthError);
        var header = task.DataOut.Span;
        var listed = BinaryPrimitives.ReadUInt16BigEndian(header[2..]) / DescriptorLength;
        var descriptors = task.DataOut[HeaderLength..length];
        descriptors = descriptors[..(Math.Min(listed, descriptors.Length / DescriptorLength) * DescriptorLength)];
        return Check(unit, task, descriptors.Span) ? DiscardAsync(unit, nexus, task, descriptors, cancellation) : default;
    }

    // All descriptors are looked at before the first takes effect: a refused list changes nothing.
    private static bool Check(DiskUnit unit, ScsiTask task, ReadOnlySpan<byte> descriptors)
    {
        if (descriptors.Length > BlockLimits.UnmapDescriptors * DescriptorLength)
            return unit.DenyParameter(task, 2);

        for (var at = 0; at < descriptors.Length; at += DescriptorLength)
        {
            if (!unit.Holds(Decode(descriptors[at..])))
                return unit.Deny(task, SenseCode.LogicalBlockAddressOutOfRange);
        }

        return true;
    }

    private static async ValueTask DiscardAsync(
        DiskUnit unit, UnitNexus nexus, ScsiTask task, ReadOnlyMemory<byte> descriptors, CancellationToken cancellation)
    {
        for (var at = 0; at < descriptors.Length; at += DescriptorLength)
        {
            task.ThrowIfAbandoned();
            var range = Decode(descriptors.Span[at..]);
            if (range.Blocks == 0)
                continue;
            using (await unit.BeginChangeAsync(nexus, range, exclusive: false, cancellation))
            {
                await unit.Device.DiscardAsync(unit.ToBytes(range.Lba), unit.ToBytes(range.Blocks), cancellation);
            }
        }

        await unit.CommitAsync(throughCache: false, cancellation);
    }

    private static BlockRange Decode(ReadOnlySpan<byte> descriptor) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(descriptor), BinaryPrimitives.ReadUInt32BigEndian(descriptor[8..]));
}
