using System.Buffers.Binary;

namespace Slipway.Scsi.Commands.Optical;

/// <summary>The address of a block of a disc, four bytes: a logical block, or minute, second and frame (MMC-6 §4.2.3.8).</summary>
internal static class DiscAddress
{
    private const ulong FramesPerSecond = 75;

    /// <summary>Block 0 lies after two seconds of pre-gap.</summary>
    private const ulong PreGap = 2 * FramesPerSecond;

    /// <summary>The last that three such fields can say; a DVD's end lies beyond.</summary>
    private const ulong Last = 256 * 60 * FramesPerSecond - 1;

    /// <summary>Reads minute, second and frame; false where these are none, or lie in the pre-gap.</summary>
    public static bool TryRead(ReadOnlySpan<byte> time, out uint block)
    {
        var frames = (time[0] * 60u + time[1]) * (uint)FramesPerSecond + time[2];
        block = frames - (uint)PreGap;
        return time[1] < 60 && time[2] < FramesPerSecond && frames >= PreGap;
    }

    public static void Write(Span<byte> field, ulong block, bool asTime)
    {
        if (!asTime)
        {
            BinaryPrimitives.WriteUInt32BigEndian(field, (uint)Math.Min(block, uint.MaxValue));
            return;
        }

        var frames = Math.Min(block + PreGap, Last);
        field[0] = 0;
        field[1] = (byte)(frames / FramesPerSecond / 60);
        field[2] = (byte)(frames / FramesPerSecond % 60);
        field[3] = (byte)(frames % FramesPerSecond);
    }
}
