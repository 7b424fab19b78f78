using Slipway.Iscsi.Pdu;

namespace Slipway.Iscsi.Target.FullFeature;

/// <summary>
/// Data-Out PDUs (RFC 7143 §11.7): each must continue a burst that is open. One that does not ends its task, when all that
/// was asked for, or announced, has come (§11.17.1): it is read and dropped. Other tasks are not touched.
/// </summary>
internal sealed class DataOutReceiver(FullFeaturePhase phase)
{
    /// <summary>The task that the data belongs to; null where it belongs to none, and is dropped.</summary>
    public TargetTask? Begin(DataOutPdu pdu, out Memory<byte> data)
    {
        data = default;
        // §4.2.2.3, connection allegiance: data comes by the connection that its command came by.
        if (phase.Session.Tasks.Find(pdu.InitiatorTaskTag) is not { State: TaskState.Arriving or TaskState.Receiving } task || task.Phase != phase)
            return null;
        if (task.IsRefused)
            return task;
        ref var burst = ref Find(task, pdu.TargetTransferTag);
        var length = pdu.Header.DataSegmentLength;
        if (!burst.IsContinuedBy(pdu))
            task.Refusal = SenseCodes.IncorrectAmountOfData;
        else if (length > 0)
            data = task.Space(burst.Next, length);
        return task;
    }

    public void End(DataOutPdu pdu, TargetTask? task, bool intact)
    {
        if (task is null || task.State is not (TaskState.Arriving or TaskState.Receiving))
            return;
        if (!intact && !task.IsRefused)
            task.Refusal = SenseCodes.ProtocolServiceCrcError;
        ref var burst = ref Find(task, pdu.TargetTransferTag);
        if (!task.IsRefused)
        {
            burst.DataSN++;
            burst.Next += pdu.Header.DataSegmentLength;
            task.Received += pdu.Header.DataSegmentLength;
        }
        if (!pdu.Final)
            return;
        if (burst.IsOpen)
            burst.IsOpen = false;
        else
            // By a wrong tag, in the place of some burst or other.
            task.CloseBurst();
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
