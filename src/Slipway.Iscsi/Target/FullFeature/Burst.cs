using Slipway.Iscsi.Pdu;

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

    /// <summary>True where the PDU is the next of this burst: with F of a solicited one, the rest of it (§11.7.1).</summary>
    public readonly bool IsContinuedBy(DataOutPdu pdu)
    {
        var (length, left) = (pdu.Header.DataSegmentLength, End - Next);
        return IsOpen && pdu.DataSN == DataSN && pdu.BufferOffset == (uint)Next && length <= left
            && (!pdu.Final || TransferTag == PduHeader.ReservedTag || length == left);
    }
}
