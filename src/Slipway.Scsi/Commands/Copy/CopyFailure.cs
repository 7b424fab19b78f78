using System.Buffers.Binary;

namespace Slipway.Scsi.Commands.Copy;

/// <summary>A segment that cannot be copied, or not whole (SPC-4 §5.17.7.4).</summary>
/// <param name="Code">With the sense key COPY ABORTED.</param>
/// <param name="Segment">Its place in the list, from 0.</param>
/// <param name="Field">The byte of the parameter list that is wrong, or where the CSCD descriptor of the unit begins whose failure it is.</param>
internal sealed record CopyFailure(SenseCode Code, int Segment, int Field)
{
    private const byte CommandSpecificDescriptor = 0x01;
    private const byte ForwardedSenseDescriptor = 0x0C;

    /// <summary>The sense of the unit's own; null where no command was sent to it.</summary>
    public SenseCode? Cause { get; init; }

    /// <summary>The cause is the source's.</summary>
    public bool IsSource { get; init; }

    /// <summary>Blocks of the destination that were not written; null where none was.</summary>
    public long? Residual { get; init; }

    public void Tell(ScsiTask task, bool descriptorFormat)
    {
        var specific = SenseKeySpecific.InParameterList(Field);
        task.CheckCondition(Code, descriptorFormat);
        Span<byte> sense = stackalloc byte[ScsiTask.MaxSense];
        var length = descriptorFormat ? WriteDescriptors(sense, specific) : WriteFixed(sense, specific);
        sense[..length].CopyTo(task.SetSense(length));
    }

    // The unit's status and sense follow the copy's own, and the first or second byte of COMMAND-SPECIFIC INFORMATION says where.
    private int WriteFixed(Span<byte> sense, SenseKeySpecific specific)
    {
        const int length = SenseData.FixedLength + 1 + SenseData.FixedLength;
        SenseData.WriteFixed(sense, Code, (ulong?)Residual, specific);
        BinaryPrimitives.WriteUInt16BigEndian(sense[10..], (ushort)Segment);
        if (Cause is not { } cause)
            return SenseData.FixedLength;
        sense[7] = length - 8;
        sense[IsSource ? 8 : 9] = SenseData.FixedLength;
        sense[SenseData.FixedLength] = (byte)ScsiStatus.CheckCondition;
        SenseData.WriteFixed(sense[(SenseData.FixedLength + 1)..], cause);
        return length;
    }

    private int WriteDescriptors(Span<byte> sense, SenseKeySpecific specific)
    {
        var length = SenseData.WriteDescriptors(sense, Code, (ulong?)Residual, specific);

        // SPC-4 §4.5.2.3: four bytes of information lie in the last four of eight.
        var command = sense.Slice(length, 12);
        command.Clear();
        (command[0], command[1]) = (CommandSpecificDescriptor, 10);
        BinaryPrimitives.WriteUInt16BigEndian(command[10..], (ushort)Segment);
        length += command.Length;

        if (Cause is { } cause)
        {
            // SPC-4 §4.5.2.7.
            var forwarded = sense.Slice(length, 4 + SenseData.DescriptorHeaderLength);
            (forwarded[0], forwarded[1]) = (ForwardedSenseDescriptor, 2 + SenseData.DescriptorHeaderLength);
            (forwarded[2], forwarded[3]) = ((byte)(IsSource ? 1 : 2), (byte)ScsiStatus.CheckCondition);
            SenseData.WriteDescriptors(forwarded[4..], cause);
            length += forwarded.Length;
        }

        sense[7] = (byte)(length - SenseData.DescriptorHeaderLength);
        return length;
    }
}
