using System.Buffers.Binary;

namespace Slipway.Scsi;

/// <summary>Sense data in the fixed (SPC-4 §4.5.3) or descriptor format (SPC-4 §4.5.2).</summary>
internal static class SenseData
{
    public const int FixedLength = 18;
    public const int DescriptorHeaderLength = 8;

    /// <summary>Ends a command with CHECK CONDITION. Data that a command has lent so far is withdrawn.</summary>
    public static void CheckCondition(
        this ScsiTask task, SenseCode code, bool descriptorFormat, ulong? information = null, SenseKeySpecific specific = default)
    {
        task.Status = ScsiStatus.CheckCondition;
        task.DataIn = default;
        task.TransferLength = 0;
        if (descriptorFormat)
        {
            Span<byte> scratch = stackalloc byte[ScsiTask.MaxSense];
            var length = WriteDescriptors(scratch, code, information, specific);
            scratch[..length].CopyTo(task.SetSense(length));
        }
        else
        {
            WriteFixed(task.SetSense(FixedLength), code, information, specific);
        }
    }

    public static void WriteFixed(Span<byte> sense, SenseCode code, ulong? information = null, SenseKeySpecific specific = default)
    {
        sense[..FixedLength].Clear();
        sense[0] = 0x70;
        sense[2] = (byte)code.Key;
        sense[7] = FixedLength - 8;
        BinaryPrimitives.WriteUInt16BigEndian(sense[12..], code.Additional);

        // SPC-4 §4.5.3: VALID is zero where the value does not fit in four bytes.
        if (information is <= uint.MaxValue)
        {
            sense[0] |= 0x80;
            BinaryPrimitives.WriteUInt32BigEndian(sense[3..], (uint)information.Value);
        }

        specific.Write(sense[15..]);
    }

    public static int WriteDescriptors(
        Span<byte> sense, SenseCode code, ulong? information = null, SenseKeySpecific specific = default)
    {
        sense[..DescriptorHeaderLength].Clear();
        sense[0] = 0x72;
        sense[1] = (byte)code.Key;
        BinaryPrimitives.WriteUInt16BigEndian(sense[2..], code.Additional);
        var length = DescriptorHeaderLength;

        if (information is { } value)
        {
            // SPC-4 §4.5.2.2: type 00h, VALID.
            var descriptor = sense.Slice(length, 12);
            descriptor.Clear();
            descriptor[1] = 0x0A;
            descriptor[2] = 0x80;
            BinaryPrimitives.WriteUInt64BigEndian(descriptor[4..], value);
            length += descriptor.Length;
        }

        if (specific.IsValid)
        {
            // SPC-4 §4.5.2.4: type 02h.
            var descriptor = sense.Slice(length, 8);
            descriptor.Clear();
            descriptor[0] = 0x02;
            descriptor[1] = 0x06;
            specific.Write(descriptor[4..]);
            length += descriptor.Length;
        }

        sense[7] = (byte)(length - DescriptorHeaderLength);
        return length;
    }
}
