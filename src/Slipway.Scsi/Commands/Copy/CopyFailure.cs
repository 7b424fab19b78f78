using System.Buffers.Binary;

namespace Slipway.Scsi.Commands.Copy;

/// <summary>A command to one of the units of a segment that failed (SPC-4 §5.17.7.4).</summary>
/// <param name="Segment">Its place in the list, from 0.</param>
/// <param name="Target">The place of the CSCD descriptor that names the unit, from 0.</param>
/// <param name="Cause">The unit's own sense.</param>
/// <param name="Residual">Blocks of the destination that were not written; null where none was.</param>
internal sealed record CopyFailure(int Segment, int Target, bool IsSource, SenseCode Cause, long? Residual)
{
    private const byte CommandSpecificDescriptor = 0x01;
    private const byte ForwardedSenseDescriptor = 0x0C;

    public void Tell(ScsiTask task, bool descriptorFormat)
    {
        var specific = SenseKeySpecific.InParameterList(CopyList.PlaceOfTarget(Target));
        task.CheckCondition(SenseCode.ThirdPartyDeviceFailure, descriptorFormat);
        Span<byte> sense = stackalloc byte[ScsiTask.MaxSense];
        var length = descriptorFormat ? WriteDescriptors(sense, specific) : WriteFixed(sense, specific);
        sense[..length].CopyTo(task.SetSense(length));
    }

    // The unit's status and sense follow the copy's own, and the first or second byte of COMMAND-SPECIFIC INFORMATION says where.
    private int WriteFixed(Span<byte> sense, SenseKeySpecific specific)
    {
        const int length = SenseData.FixedLength + 1 + SenseData.FixedLength;
        SenseData.WriteFixed(sense, SenseCode.ThirdPartyDeviceFailure, (ulong?)Residual, specific);
        sense[7] = length - 8;
        sense[IsSource ? 8 : 9] = SenseData.FixedLength;
        BinaryPrimitives.WriteUInt16BigEndian(sense[10..], (ushort)Segment);
        sense[SenseData.FixedLength] = (byte)ScsiStatus.CheckCondition;
        SenseData.WriteFixed(sense[(SenseData.FixedLength + 1)..], Cause);
        return length;
    }

    private int WriteDescriptors(Span<byte> sense, SenseKeySpecific specific)
    {
        var length = SenseData.WriteDescriptors(sense, SenseCode.ThirdPartyDeviceFailure, (ulong?)Residual, specific);

        // SPC-4 §4.5.2.3: four bytes of information lie in the last four of eight.
        var command = sense.Slice(length, 12);
        command.Clear();
        (command[0], command[1]) = (CommandSpecificDescriptor, 10);
        BinaryPrimitives.WriteUInt16BigEndian(command[10..], (ushort)Segment);
        length += command.Length;

        // SPC-4 §4.5.2.7.
        var forwarded = sense.Slice(length, 4 + SenseData.DescriptorHeaderLength);
        (forwarded[0], forwarded[1]) = (ForwardedSenseDescriptor, 2 + SenseData.DescriptorHeaderLength);
        (forwarded[2], forwarded[3]) = ((byte)(IsSource ? 1 : 2), (byte)ScsiStatus.CheckCondition);
        SenseData.WriteDescriptors(forwarded[4..], Cause);
        length += forwarded.Length;
        sense[7] = (byte)(length - SenseData.DescriptorHeaderLength);
        return length;
    }
}
