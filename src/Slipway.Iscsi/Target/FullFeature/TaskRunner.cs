using Slipway.Iscsi.Pdu;
using Slipway.Scsi;

namespace Slipway.Iscsi.Target.FullFeature;

/// <summary>
/// Leads each command from its turn to its response: collects its data, finds it memory, lets the device run it. Commands
/// that find no memory wait in line, and so bound what one connection can hold.
/// </summary>
internal sealed class TaskRunner(FullFeaturePhase phase) : IDisposable
{
    private readonly Queue<TargetTask> _waiting = [];
    private readonly List<TargetTask> _ordered = [];
    private readonly CancellationTokenSource _cancellation = new();
    private readonly TaskResponder _responder = new(phase);
    private long _charged;
    private uint _transferTag;

    public int Running { get; private set; }

    /// <summary>Takes memory into account; false where it would be too much now. One command always fits.</summary>
    public bool TryCharge(TargetTask task, int bytes)
    {
        bytes -= task.Charge;
        if (bytes > 0 && _charged > 0 && _charged + bytes > phase.Node.Limits.ConnectionTransfer)
            return false;
        _charged += bytes;
        task.Charge += bytes;
        return true;
    }

    public void Discharge(TargetTask task) => _charged -= task.Charge;

    /// <summary>The command's turn has come.</summary>
    public void Start(TargetTask task)
    {
        if (task.IsAborted)
        {
            task.Release();
            return;
        }
        if (phase.Session.Late.Include(task))
        {
            Drop(task);
            return;
        }
        if (phase.Session.MustWait(task))
        {
            Discharge(task);
            task.Charge = 0;
            _ordered.Add(task);
            phase.Session.WaitingForOrder++;
            return;
        }
        task.State = TaskState.Receiving;
        Continue(task);
    }

    /// <summary>A command of the session has ended, for which others may have waited.</summary>
    public void StartOrdered()
    {
        foreach (var task in TakeOrdered())
            Start(task);
    }

    /// <summary>The connection is gone: what waits for older commands is never to be.</summary>
    public void DropOrdered()
    {
        foreach (var task in TakeOrdered())
            Drop(task);
    }

    /// <summary>A burst has ended, or there was none to wait for.</summary>
    public void Continue(TargetTask task)
    {
        if (task.Unsolicited.IsOpen)
            return;
        if (task.IsRefused)
        {
            // RFC 7143 §11.17.1: an error is told when the last burst that is expected has ended.
            if (!task.HasOpenBurst)
                Answer(task);
        }
        else if (task.Received < task.Capacity)
            Solicit(task);
        else
            Run(task);
    }

    /// <summary>Memory may have become free.</summary>
    public void Pump()
    {
        while (_waiting.TryPeek(out var task))
        {
            if (task.State == TaskState.Waiting && !TryCharge(task, Need(task)))
                return;
            _waiting.Dequeue();
            if (task.State == TaskState.Waiting)
            {
                task.State = TaskState.Receiving;
                Continue(task);
            }
            task.Release();
        }
    }

    /// <summary>Takes out a command that was never to be.</summary>
    public void Drop(TargetTask task)
    {
        if (!task.IsAborted)
            Remove(task);
        task.State = TaskState.Ended;
        task.Release();
    }

    /// <summary>True where the logical unit still works on it: then <see cref="Completed"/> will come.</summary>
    public bool Abort(TargetTask task)
    {
        task.IsAborted = true;
        switch (task.State)
        {
            case TaskState.Running:
                task.Abandon();
                return true;
            case TaskState.Arriving:
                // Its PDU, or its turn, is still to come: Start lets go of it.
                Remove(task);
                return false;
            default:
                Remove(task);
                task.State = TaskState.Ended;
                task.Release();
                return false;
        }
    }

    /// <summary>The device is done with a command that it had to wait for.</summary>
    public void Completed(TargetTask task)
    {
        Complete(task);
        Pump();
    }

    /// <summary>Tells the device that nobody waits for its answers any more.</summary>
    public void Cancel() => _cancellation.Cancel();

    public void Dispose() => _cancellation.Dispose();

    private TargetTask[] TakeOrdered()
    {
        var tasks = _ordered.ToArray();
        phase.Session.WaitingForOrder -= tasks.Length;
        _ordered.Clear();
        return tasks;
    }

    private static int Need(TargetTask task) => task.Received < task.Capacity ? task.Capacity : task.Capacity + task.DataInLimit;

    private bool Afford(TargetTask task)
    {
        if (TryCharge(task, Need(task)))
            return true;
        task.State = TaskState.Waiting;
        task.Hold();
        _waiting.Enqueue(task);
        return false;
    }

    private void Solicit(TargetTask task)
    {
        if (task.R2TSN == 0)
        {
            if (!Afford(task))
                return;
            task.RentDataOut(task.Capacity);
            task.AllowBursts(phase.Parameters.MaxOutstandingR2T);
            task.NextSolicited = task.Received;
        }
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

    private void Run(TargetTask task)
    {
        task.DataInLimit = (int)Math.Min(task.ExpectedIn, phase.Node.Limits.TaskTransfer);
        if (!Afford(task))
            return;
        Running++;
        if (task.Execute(phase.Session.Device!, _cancellation.Token))
            Complete(task);
    }

    private void Complete(TargetTask task)
    {
        Running--;
        if (task.Execution.IsCompletedSuccessfully)
        {
            task.Execution.GetAwaiter().GetResult();
        }
        else
        {
            // The contract of ScsiTargetDevice has one excuse, cancellation, and then nobody waits for the answer.
            if (task.Execution.IsFaulted && task.Execution.AsTask().Exception is { } fault)
                phase.Connection.Fail(fault.InnerException!);
            task.Refusal = SenseCodes.InternalTargetFailure;
        }
        if (task.IsAborted)
        {
            Remove(task);
            task.State = TaskState.Ended;
            task.Release();
            phase.Management.Finished(task);
            return;
        }
        Answer(task);
    }

    private void Answer(TargetTask task)
    {
        if (task.IsRefused)
            phase.Session.Device!.Refuse(task, task.Refusal);
        // First the room, then the response that tells of it (MaxCmdSN).
        Remove(task);
        task.State = TaskState.Ended;
        if (task.Write)
            phase.Session.BytesWritten += task.Received;
        _responder.Respond(task);
        task.Release();
    }

    private void Remove(TargetTask task)
    {
        phase.Session.Tasks.Remove((uint)task.Tag);
        phase.Session.Window.Leave();
        phase.Session.OrderedTasks -= task.Attribute == TaskAttribute.Ordered ? 1 : 0;
        if (phase.Session.WaitingForOrder > 0)
            phase.Session.Connections().ForEach(c => c.StartOrdered());
    }
}
