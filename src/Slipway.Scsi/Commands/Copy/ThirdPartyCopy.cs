using System.Buffers.Binary;

namespace Slipway.Scsi.Commands.Copy;

/// <summary>VPD page 8Fh, Third-party Copy, of SPC-4: descriptors of what EXTENDED COPY can do.</summary>
internal static class ThirdPartyCopy
{
    private const ushort SupportedCommands = 0x0001;
    private const ushort ParameterData = 0x0004;
    private const ushort SupportedDescriptors = 0x0008;
    private const ushort GeneralCopyOperations = 0x8001;

    public static int Write(Span<byte> body)
    {
        // Each command with its service actions.
        ReadOnlySpan<byte> commands = [9, 0x83, 1, 0x00, 0x84, 4, 0x00, 0x01, 0x03, 0x04];
        var end = Append(body, 0, SupportedCommands, commands);

        Span<byte> data = stackalloc byte[32];
        data.Clear();
        BinaryPrimitives.WriteUInt16BigEndian(data[4..], CopyList.MaxTargets);
        BinaryPrimitives.WriteUInt16BigEndian(data[6..], CopyList.MaxSegments);
        BinaryPrimitives.WriteUInt32BigEndian(data[8..], CopyList.MaxDescriptorLength);
        end = Append(body, end, ParameterData, data[..28]);

        ReadOnlySpan<byte> descriptors = [2, CopyList.BlockToBlockSegment, CopyList.IdentificationTarget];
        end = Append(body, end, SupportedDescriptors, descriptors);

        data.Clear();
        BinaryPrimitives.WriteUInt32BigEndian(data, CopyResults.MaxKept);
        BinaryPrimitives.WriteUInt32BigEndian(data[4..], CopyResults.MaxKept);
        data[12] = 9; // DATA SEGMENT GRANULARITY: 512 bytes
        return Append(body, end, GeneralCopyOperations, data);
    }

    // Each descriptor is a multiple of four bytes.
    private static int Append(Span<byte> body, int at, ushort type, ReadOnlySpan<byte> content)
    {
        var length = (content.Length + 3) & ~3;
        BinaryPrimitives.WriteUInt16BigEndian(body[at..], type);
        BinaryPrimitives.WriteUInt16BigEndian(body[(at + 2)..], (ushort)length);
        content.CopyTo(body[(at + 4)..]);
        return at + 4 + length;
    }
}
