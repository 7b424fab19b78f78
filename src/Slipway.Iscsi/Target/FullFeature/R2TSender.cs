using Slipway.Iscsi.Pdu;

namespace Slipway.Iscsi.Target.FullFeature;

/// <summary>Asks for Data-Out by R2T, burst by burst, as many at a time as were agreed on (RFC 7143 §11.8, §13.13, §13.17).</summary>
internal sealed class R2TSender(FullFeaturePhase phase)
{
    private uint _transferTag;

    public void Solicit(TargetTask task)
    {
        for (var i = 0; i < task.Solicited.Length && task.NextSolicited < task.Capacity; i++)
        {
            if (!task.Solicited[i].IsOpen)
                task.Solicited[i] = Request(task);
        }
    }

    private Burst Request(TargetTask task)
    {
        var length = Math.Min(task.Capacity - task.NextSolicited, phase.Parameters.MaxBurstLength);
        if (++_transferTag == PduHeader.ReservedTag)
            _transferTag = 0;
        Span<byte> bytes = stackalloc byte[PduHeader.Size];
        var pdu = ReadyToTransferPdu.Begin(bytes);
        pdu.Lun = task.Lun;
        pdu.InitiatorTaskTag = (uint)task.Tag;
        pdu.TargetTransferTag = _transferTag;
        pdu.R2TSN = task.R2TSN++;
        pdu.BufferOffset = (uint)task.NextSolicited;
        pdu.DesiredDataTransferLength = (uint)length;
        // §11.8: it shows the next StatSN, and takes none.
        phase.Sender.Send(bytes, [], status: false);
        task.DataPdus++;
        var burst = new Burst { TransferTag = _transferTag, Next = task.NextSolicited, End = task.NextSolicited + length, IsOpen = true };
        task.NextSolicited += length;
        return burst;
    }
}
