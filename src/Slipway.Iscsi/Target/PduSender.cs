using Slipway.Iscsi.Digests;
using Slipway.Iscsi.Pdu;
using Slipway.Iscsi.Target.FullFeature;
using Slipway.Iscsi.Transfer;

namespace Slipway.Iscsi.Target;

/// <summary>Puts responses into the send queue, with what every response carries: sequence numbers, padding, digests.</summary>
internal sealed class PduSender(SendQueue queue)
{
    private uint _statSN = 1;

    public SendQueue Queue => queue;

    /// <summary>Null until the first login request has told the first CmdSN.</summary>
    public CommandWindow? Window { get; set; }

    /// <summary>PDUs so far.</summary>
    public ulong Sent { get; private set; }

    public bool HeaderDigest { get; set; }

    public bool DataDigest { get; set; }

    /// <summary>A PDU whose data is small enough to copy.</summary>
    /// <param name="status">It takes a StatSN (RFC 7143 §4.2.2.2); others only show the next one.</param>
    public void Send(Span<byte> header, ReadOnlySpan<byte> data, bool status)
    {
        SendHeader(header, data.Length, status);
        if (data.IsEmpty)
            return;
        queue.Append(data);
        End(DataDigest ? Crc32C.Append(Crc32C.Seed, data) : 0, data.Length);
    }

    /// <summary>A PDU whose data stays where it is until it has been sent.</summary>
    public void Send(Span<byte> header, ArraySegment<byte> data, bool status, ISentOwner? owner)
    {
        SendHeader(header, data.Count, status);
        queue.Reference(data, owner);
        End(DataDigest ? Crc32C.Append(Crc32C.Seed, data) : 0, data.Count);
    }

    private void SendHeader(Span<byte> bytes, int dataLength, bool status)
    {
        var header = new PduHeader(bytes) { DataSegmentLength = dataLength };
        // A Data-In without status has its StatSN field reserved (§11.7.4).
        if (header.Opcode != Opcode.DataIn || status)
            header.SequenceNumber = _statSN;
        if (status)
            _statSN++;
        Sent++;
        header.ExpCmdSN = Window?.Expected ?? 0;
        header.MaxCmdSN = Window?.Max ?? 0;
        var room = queue.Append(HeaderDigest ? PduHeader.Size + Crc32C.Size : PduHeader.Size);
        bytes[..PduHeader.Size].CopyTo(room);
        if (HeaderDigest)
            Crc32C.Write(room[PduHeader.Size..], Crc32C.Compute(bytes[..PduHeader.Size]));
    }

    private void End(uint crc, int dataLength)
    {
        var padding = -dataLength & 3;
        if (padding == 0 && !DataDigest)
            return;
        var room = queue.Append(padding + (DataDigest ? Crc32C.Size : 0));
        room.Clear();
        if (DataDigest)
            Crc32C.Write(room[padding..], Crc32C.Finish(Crc32C.Append(crc, room[..padding])));
    }
}
