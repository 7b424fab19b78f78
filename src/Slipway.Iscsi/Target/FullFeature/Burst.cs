namespace Slipway.Iscsi.Target.FullFeature;

/// <summary>One sequence of Data-Out PDUs, solicited by an R2T or unsolicited (RFC 7143 §4.2.5.2, §11.7).</summary>
internal struct Burst
{
    public uint TransferTag;

    /// <summary>Where the next byte belongs: data comes in order (DataPDUInOrder=Yes).</summary>
    public int Next;
    public int End;
    public uint DataSN;
    public bool IsOpen;

    /// <summary>Null where the PDU continues this burst as the standard wants it.</summary>
    public readonly string? Check(uint dataSN, uint offset, int length, bool final) =>
        dataSN != DataSN ? $"Data-Out with DataSN {dataSN}, expected {DataSN}"
        : offset != (uint)Next ? $"Data-Out at offset {offset}, expected {Next}"
        : length > End - Next ? $"Data-Out of {length} bytes where {End - Next} were left to send"
        : final && TransferTag != Pdu.PduHeader.ReservedTag && length != End - Next ? $"the final Data-Out leaves {End - Next - length} bytes of its burst unsent"
        : null;
}
