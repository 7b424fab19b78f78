using Slipway.Iscsi.Pdu;

namespace Slipway.Iscsi.Target.FullFeature;

/// <summary>NOP-Out, which is answered, and NOP-In of the target's own accord, which wants no answer (RFC 7143 §11.18, §11.19).</summary>
internal sealed class Nop(FullFeaturePhase phase)
{
    private ulong _sentBefore;

    public void Handle(NopOutPdu request, ReadOnlySpan<byte> ping)
    {
        // §11.18.1: no answer is wanted, or it is the answer to a NOP-In of ours.
        if (request.InitiatorTaskTag == PduHeader.ReservedTag)
            return;
        Span<byte> bytes = stackalloc byte[PduHeader.Size];
        var answer = NopInPdu.Begin(bytes);
        answer.Lun = request.Lun;
        answer.InitiatorTaskTag = request.InitiatorTaskTag;
        answer.TargetTransferTag = PduHeader.ReservedTag;
        phase.Sender.Send(bytes, ping[..Math.Min(ping.Length, phase.Parameters.PeerMaxRecvDataSegmentLength)], status: true);
    }

    /// <summary>Sends a NOP-In where nothing was sent since the last call.</summary>
    public void KeepAlive()
    {
        if (_sentBefore == phase.Sender.Sent)
        {
            Span<byte> bytes = stackalloc byte[PduHeader.Size];
            var ping = NopInPdu.Begin(bytes);
            ping.InitiatorTaskTag = ping.TargetTransferTag = PduHeader.ReservedTag;
            phase.Sender.Send(bytes, [], status: false);
        }
        _sentBefore = phase.Sender.Sent;
    }
}
