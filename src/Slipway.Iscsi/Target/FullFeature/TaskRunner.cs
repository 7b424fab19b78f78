namespace Slipway.Iscsi.Target.FullFeature;

/// <summary>
/// Leads each command from its turn to its response: collects its data, finds it memory, lets the device run it. Commands
/// that find no memory wait in line, and so bound what one connection can hold.
/// </summary>
internal sealed class TaskRunner(FullFeaturePhase phase) : IDisposable
{
    private readonly Queue<TargetTask> _waiting = [];
    private readonly CancellationTokenSource _cancellation = new();
    private readonly R2TSender _r2ts = new(phase);
    private readonly TaskResponder _responder = new(phase);

    public TransferAccount Account { get; } = new(phase.Node.Limits.ConnectionTransfer);

    /// <summary>Commands that the logical unit works on.</summary>
    public int Running { get; private set; }

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
        if (phase.Session.Tasks.TryMakeDormant(task))
        {
            Account.Discharge(task);
            return;
        }
        task.State = TaskState.Receiving;
        Continue(task);
    }

    /// <summary>A command of the session has ended, for which others may have waited.</summary>
    public void StartDormant()
    {
        foreach (var task in phase.Session.Tasks.TakeDormant(phase))
            Start(task);
    }

    /// <summary>The connection is gone: what waits for older commands is never to be.</summary>
    public void DropDormant()
    {
        foreach (var task in phase.Session.Tasks.TakeDormant(phase))
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
            if (task.State == TaskState.Waiting && !Account.TryCharge(task, Need(task)))
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
            phase.Session.Remove(task);
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
                phase.Session.Remove(task);
                return false;
            default:
                phase.Session.Remove(task);
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

    private static int Need(TargetTask task) => task.Received < task.Capacity ? task.Capacity : task.Capacity + task.DataInLimit;

    private bool Afford(TargetTask task)
    {
        if (Account.TryCharge(task, Need(task)))
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
            task.BeginSoliciting(phase.Parameters.MaxOutstandingR2T);
        }
        _r2ts.Solicit(task);
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
            phase.Session.Remove(task);
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
        phase.Session.Remove(task);
        task.State = TaskState.Ended;
        if (task.Write)
            phase.Session.BytesWritten += task.Received;
        _responder.Respond(task);
        task.Release();
    }
}
