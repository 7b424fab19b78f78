using System.Buffers.Binary;
using System.Text;

namespace Slipway.Scsi.Reservations;

/// <summary>The TransportID of an iSCSI initiator port (SPC-4 §7.6.4.6, format 01b: name, separator and ISID).</summary>
internal static class TransportId
{
    private const byte IscsiPort = 0x45;

    /// <summary>Null-terminated, padded to a multiple of four and to 24 at least.</summary>
    public static int Length(string initiatorPort) =>
        Math.Max(24, (4 + Encoding.UTF8.GetByteCount(initiatorPort)) / 4 * 4 + 4);

    public static int Write(string initiatorPort, Span<byte> destination)
    {
        var length = Length(initiatorPort);
        destination[..length].Clear();
        destination[0] = IscsiPort;
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], (ushort)(length - 4));
        Encoding.UTF8.GetBytes(initiatorPort, destination[4..]);
        return length;
    }

    public static bool TryRead(ReadOnlySpan<byte> source, out string initiatorPort)
    {
        initiatorPort = "";
        if (source.Length < 24 || source[0] != IscsiPort || BinaryPrimitives.ReadUInt16BigEndian(source[2..]) != source.Length - 4)
            return false;
        var name = source[4..];
        var end = name.IndexOf((byte)0);
        if (end <= 0)
            return false;
        initiatorPort = Encoding.UTF8.GetString(name[..end]);
        return initiatorPort.Contains(",i,0x", StringComparison.Ordinal);
    }
}
