using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Slipway.Scsi.Reservations;

/// <summary>The TransportID of an iSCSI initiator port (SPC-4 §7.6.4.6, format 01b: name, separator and ISID).</summary>
internal static class TransportId
{
    private const byte IscsiPort = 0x45;
    private const string Separator = ",i,0x";

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
        var port = Encoding.UTF8.GetString(name[..end]);
        var isid = port.IndexOf(Separator, StringComparison.Ordinal) + Separator.Length;
        if (isid < Separator.Length || !ulong.TryParse(port.AsSpan(isid), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number) || number >> 48 != 0)
            return false;

        // As the transport writes it (RFC 7143 §4.4.1): initiators differ in their hexadecimal digits.
        initiatorPort = port[..isid] + number.ToString("x12", CultureInfo.InvariantCulture);
        return true;
    }
}
