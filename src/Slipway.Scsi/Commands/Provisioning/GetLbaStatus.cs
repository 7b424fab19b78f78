using System.Buffers.Binary;
using Slipway.Disks;

namespace Slipway.Scsi.Commands.Provisioning;

/// <summary>GET LBA STATUS (SBC-3 §5.4).</summary>
internal static class GetLbaStatus
{
    private const int HeaderLength = 8;
    private const int DescriptorLength = 16;
    private const byte Mapped = 0;
    private const byte Deallocated = 1;

    // An answer may stop anywhere after its first descriptor: the initiator asks again from there.
    private const int MaxDescriptors = 64;

    // Neighbours of one kind are joined, up to so many: the time of one command is bounded.
    private const int MaxExtents = 256;

    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<DiskUnit>(
            "GET LBA STATUS", "9E 12 FF FF FF FF FF FF FF FF FF FF FF FF 00 00", CommandTraits.ReadsMedium, ExecuteAsync, 0x12),
    ];

    private static async ValueTask ExecuteAsync(
        DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        var lba = BinaryPrimitives.ReadUInt64BigEndian(task.Cdb[2..]);
        var allocation = BinaryPrimitives.ReadUInt32BigEndian(task.Cdb[10..]);
        if (lba >= unit.Blocks)
        {
            await unit.Refuse(task, SenseCode.LogicalBlockAddressOutOfRange);
            return;
        }

        var wanted = (int)Math.Clamp((allocation - (long)HeaderLength) / DescriptorLength, 1, MaxDescriptors);
        var data = new byte[HeaderLength + wanted * DescriptorLength];
        var length = HeaderLength;
        var (start, status) = (lba, Mapped);
        for (var extents = 0; extents < MaxExtents && lba < unit.Blocks; extents++)
        {
            var (blocks, kind) = await ExtentAsync(unit, lba, cancellation);
            if (lba > start && (kind != status || lba - start + blocks > uint.MaxValue))
            {
                length = Append(data, length, start, lba, status);
                if (length == data.Length)
                    break;
                start = lba;
            }

            (lba, status) = (lba + blocks, kind);
        }

        if (length < data.Length && lba > start)
            length = Append(data, length, start, lba, status);
        BinaryPrimitives.WriteInt32BigEndian(data, length - 4);
        await task.Answer(data.AsSpan(0, length), allocation);
    }

    // A block counts as deallocated when the whole of it is: a hole's ragged edges belong to mapped blocks.
    private static async ValueTask<(ulong Blocks, byte Status)> ExtentAsync(
        DiskUnit unit, ulong lba, CancellationToken cancellation)
    {
        var offset = unit.ToBytes(lba);
        var extent = await unit.Device.GetExtentAsync(offset, cancellation);
        var bytes = extent.Offset + extent.Length - offset;
        var blocks = Math.Min(unit.ToBlocks(bytes), unit.Blocks - lba);
        blocks = Math.Min(blocks, uint.MaxValue);
        return blocks == 0
            ? (1, Mapped)
            : (blocks, extent.Kind == ExtentKind.Hole ? Deallocated : Mapped);
    }

    private static int Append(Span<byte> data, int length, ulong start, ulong end, byte status)
    {
        var descriptor = data[length..];
        BinaryPrimitives.WriteUInt64BigEndian(descriptor, start);
        BinaryPrimitives.WriteUInt32BigEndian(descriptor[8..], (uint)(end - start));
        descriptor[12] = status;
        return length + DescriptorLength;
    }
}
