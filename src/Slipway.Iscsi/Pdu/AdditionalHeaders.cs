using System.Buffers.Binary;

namespace Slipway.Iscsi.Pdu;

/// <summary>The Additional Header Segments of a PDU (RFC 7143 §11.2.2), one after the other.</summary>
internal static class AdditionalHeaders
{
    private const int HeaderLength = 3;
    private const byte BidirectionalReadLength = 0x02;

    /// <summary>
    /// The Bidirectional Read Expected Data Transfer Length (§11.2.2.4); zero where there is none. An extended CDB may stand
    /// beside it: no unit here knows a command that has one.
    /// </summary>
    public static uint ReadLength(ReadOnlySpan<byte> segments)
    {
        while (segments.Length >= HeaderLength)
        {
            // §11.2.2.1: AHSLength counts what follows AHSType, without the padding.
            var length = HeaderLength + BinaryPrimitives.ReadUInt16BigEndian(segments);
            if (length > segments.Length)
                return 0;
            if ((segments[2] & 0x3F) == BidirectionalReadLength && length >= 8)
                return BinaryPrimitives.ReadUInt32BigEndian(segments[4..]);
            segments = segments[Math.Min(segments.Length, (length + 3) & ~3)..];
        }
        return 0;
    }
}
