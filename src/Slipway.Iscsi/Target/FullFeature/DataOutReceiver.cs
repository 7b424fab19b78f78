using Slipway.Iscsi.Pdu;

namespace Slipway.Iscsi.Target.FullFeature;

/// <summary>
/// Data-Out PDUs (RFC 7143 §11.7): each must continue a burst that is open. One that does not ends its task, and what
/// still comes for that task is read and dropped; other tasks are not touched.
/// </summary>
internal sealed class DataOutReceiver(FullFeaturePhase phase)
{
    /// <summary>The task that the data belongs to; null where it belongs to none, and is dropped.</summary>
    public TargetTask? Begin(DataOutPdu pdu, out Memory<byte> data)
    {
        data = default;
        // §4.2.2.3, connection allegiance: data comes by the connection that its command came by.
        if (!phase.Session.Tasks.TryGetValue(pdu.InitiatorTaskTag, out var task) || task.Phase != phase || task.State is not (TaskState.Arriving or TaskState.Receiving))
            return null;
        ref var burst = ref Find(task, pdu.TargetTransferTag);
        var length = pdu.Header.DataSegmentLength;
        if (!burst.IsOpen || burst.Check(pdu.DataSN, pdu.BufferOffset, length, pdu.Final) is not null)
        {
            phase.Runner.Refuse(task, SenseCodes.IncorrectAmountOfData);
            return null;
        }
        if (length > 0)
            data = task.Space(burst.Next, length);
        return task;
    }

    public void End(DataOutPdu pdu, TargetTask? task, bool intact)
    {
        if (task is null || task.State is not (TaskState.Arriving or TaskState.Receiving))
            return;
        if (!intact)
        {
            phase.Runner.Refuse(task, SenseCodes.ProtocolServiceCrcError);
            return;
        }
        ref var burst = ref Find(task, pdu.TargetTransferTag);
        var length = pdu.Header.DataSegmentLength;
        burst.DataSN++;
        burst.Next += length;
        task.Received += length;
        if (!pdu.Final)
            return;
        burst.IsOpen = false;
        if (task.State == TaskState.Receiving)
            phase.Runner.Continue(task);
    }

    private static ref Burst Find(TargetTask task, uint transferTag)
    {
        if (transferTag == PduHeader.ReservedTag)
            return ref task.Unsolicited;
        var bursts = task.Solicited;
        for (var i = 0; i < bursts.Length; i++)
        {
            if (bursts[i].IsOpen && bursts[i].TransferTag == transferTag)
                return ref bursts[i];
        }
        return ref task.NoBurst;
    }
}
