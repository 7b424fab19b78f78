namespace Slipway.Iscsi.Pdu;

/// <summary>Serial number arithmetic, RFC 1982 with SERIAL_BITS 32 (RFC 7143 §4.2.2).</summary>
public static class SerialNumber
{
    public static bool IsBefore(uint a, uint b) => (int)(a - b) < 0;

    public static bool IsAfter(uint a, uint b) => (int)(a - b) > 0;
}
