namespace Slipway.Scsi;

/// <summary>The eight-byte LUN field (SAM-5 §4.7) for a target with one level of at most 256 units.</summary>
public static class LogicalUnitNumber
{
    /// <summary>Whether two fields name one unit, each by whichever method.</summary>
    public static bool AreSame(ulong field, ulong other) =>
        field == other || (TryDecode(field, out var lun) && TryDecode(other, out var otherLun) && lun == otherLun);

    /// <summary>SAM-5 §4.7.7.2: peripheral device addressing on bus 0, which serves 256 units.</summary>
    internal static ulong Encode(byte lun) => (ulong)lun << 48;

    /// <summary>Accepts peripheral device addressing and flat space addressing (SAM-5 §4.7.7.3) of the same units.</summary>
    internal static bool TryDecode(ulong field, out byte lun)
    {
        lun = (byte)(field >> 48);
        var method = (byte)(field >> 56);
        return (field & 0xFFFF_FFFF_FFFF) == 0 && method is 0x00 or 0x40;
    }
}
