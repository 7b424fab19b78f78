using Slipway.Iscsi.Pdu;
using Slipway.Scsi;

namespace Slipway.Iscsi.Target.FullFeature;

/// <summary>
/// Task management (RFC 7143 §11.5, §11.6): what waits here is taken out at once; what the logical unit works on is let
/// finish unheard. The response goes when nothing of it is left, in any session that the function reaches (§4.2.3.3).
/// </summary>
/// <remarks>
/// Data that was asked for is not waited for, as step a of §4.2.3.3 has it: Linux sends none after a function (FastAbort=Yes in
/// iscsid.conf). What comes of it all the same finds no task, and is dropped.
/// </remarks>
internal sealed class TaskManagement(FullFeaturePhase phase)
{
    private readonly List<Abortion> _pending = [];

    private sealed record Abortion(Action Then)
    {
        public HashSet<TargetTask> Tasks { get; } = [];

        public int Elsewhere { get; set; }
    }

    public void Handle(TaskManagementRequestPdu request)
    {
        var tag = request.InitiatorTaskTag;
        var lun = request.Lun;
        var session = phase.Session;
        if (_pending.Count >= phase.Node.Limits.SessionTasks)
        {
            // Those before wait for a unit that does not let go of its commands.
            Answer(tag, TaskManagementResponse.Rejected);
            return;
        }
        switch (request.Function)
        {
            case TaskManagementFunction.AbortTask:
                AbortTask(request);
                break;
            case TaskManagementFunction.TaskReassign:
                Answer(tag, TaskManagementResponse.TaskReassignNotSupported);
                break;
            case TaskManagementFunction.ClearAca:
                Answer(tag, session.Device!.Manage(request.Function, session.Nexus!, lun));
                break;
            case TaskManagementFunction.AbortTaskSet or TaskManagementFunction.ClearTaskSet or TaskManagementFunction.LogicalUnitReset
                or TaskManagementFunction.TargetWarmReset or TaskManagementFunction.TargetColdReset:
                var response = session.Device!.Manage(request.Function, session.Nexus!, lun);
                if (response != TaskManagementResponse.FunctionComplete)
                    Answer(tag, response);
                else
                    AbortMany(request.Function, lun, tag, request.CmdSN, request.Header.Immediate);
                break;
            default:
                Answer(tag, TaskManagementResponse.NotSupported);
                break;
        }
    }

    /// <summary>Aborts what fits, and calls back when none of it runs any more.</summary>
    /// <param name="found">Called where anything fits.</param>
    public void AbortThen(Func<TargetTask, bool> which, Action then, Action? found = null) => Wait(Abort(which, then, found));

    /// <summary>A command that was aborted while the logical unit had it.</summary>
    public void Finished(TargetTask task)
    {
        foreach (var abortion in _pending.ToArray())
        {
            if (abortion.Tasks.Remove(task))
                Check(abortion);
        }
    }

    /// <summary>Ends other connections, aborts what fits on this one, and calls back when nothing of all that is left.</summary>
    public void EndThen(List<TargetConnection> others, string reason, Func<TargetTask, bool> which, Action then)
    {
        var abortion = Abort(which, then);
        foreach (var other in others)
        {
            abortion.Elsewhere++;
            other.Post(() => other.End(reason, Reached(abortion)));
        }
        Wait(abortion);
    }

    private void AbortTask(TaskManagementRequestPdu request)
    {
        var (tag, refCmdSN) = (request.InitiatorTaskTag, request.RefCmdSN);
        var response = phase.Session.Device!.Manage(TaskManagementFunction.AbortTask, phase.Session.Nexus!, request.Lun);
        if (response != TaskManagementResponse.FunctionComplete)
            Answer(tag, response);
        else if (phase.Session.Tasks.Find(request.ReferencedTaskTag) is { } task)
        {
            // SAM-5 §7.2: a task of the unit that the function is for, and no other's.
            if (LogicalUnitNumber.AreSame(task.Lun, request.Lun))
                AbortOne(task, () => Answer(tag, TaskManagementResponse.FunctionComplete));
            else
                Answer(tag, TaskManagementResponse.TaskDoesNotExist);
        }
        // §11.6.1 b: it was sent before this function, and is not here yet.
        else if (SerialNumber.IsBefore(refCmdSN, request.CmdSN) && phase.Order.PassOver(refCmdSN))
            Answer(tag, TaskManagementResponse.FunctionComplete);
        // §11.6.1 c: answered already, or never sent.
        else
            Answer(tag, TaskManagementResponse.TaskDoesNotExist);
    }

    /// <summary>
    /// §11.5.1 has the function come by the command's own connection while that lives; what comes by another does the
    /// same. Its command object may serve another command by the time that it is looked for: tag and CmdSN tell.
    /// </summary>
    private void AbortOne(TargetTask task, Action then)
    {
        var (tag, cmdSN) = (task.Tag, task.CmdSN);
        var abortion = Abort(t => t == task, then);
        if (task.Phase is { } other && other != phase)
            AbortElsewhere(abortion, other.Connection, t => t.Tag == tag && t.CmdSN == cmdSN);
        Wait(abortion);
    }

    private void AbortMany(TaskManagementFunction function, ulong lun, uint tag, uint cmdSN, bool isImmediate)
    {
        var all = function is TaskManagementFunction.TargetWarmReset or TaskManagementFunction.TargetColdReset;
        var cold = function == TaskManagementFunction.TargetColdReset;
        // An immediate one has the CmdSN that the next command will have: what was sent after it may have come by another connection.
        Func<TargetTask, bool> within = t => (all || LogicalUnitNumber.AreSame(t.Lun, lun)) && (SerialNumber.IsBefore(t.CmdSN, cmdSN) || (t.IsImmediate && t.CmdSN == cmdSN));
        var abortion = Abort(within, () =>
        {
            Answer(tag, TaskManagementResponse.FunctionComplete);
            if (cold)
                phase.Connection.Finish("target cold reset");
        });
        Reach(phase.Session, within);
        if (function != TaskManagementFunction.AbortTaskSet)
        {
            foreach (var other in phase.Node.Sessions.Others(phase.Session.Device!, phase.Session))
            {
                // SAM-5 §5.6.3: who had commands that are cleared is told; a reset has told everybody already.
                Action? report = function == TaskManagementFunction.ClearTaskSet ? () => other.Device!.ReportCleared(other.Nexus!, lun) : null;
                Reach(other, t => all || LogicalUnitNumber.AreSame(t.Lun, lun), report);
            }
        }
        // §4.2.3.3 b: a unit's commands are waited for, and aborted as they come; those of all units are taken for received.
        if (isImmediate && phase.Session.Late.AreMissing(cmdSN))
        {
            if (all)
                phase.Order.PassOverAllBefore(cmdSN);
            else
                AwaitLate(abortion, cmdSN, within);
        }
        Wait(abortion);

        void Reach(Session session, Func<TargetTask, bool> which, Action? found = null)
        {
            foreach (var other in session.Connections(except: phase.Connection))
            {
                AbortElsewhere(abortion, other, which, found);
                if (cold)
                    other.Drop("target cold reset by another initiator");
            }
        }
    }

    private void AbortElsewhere(Abortion abortion, TargetConnection other, Func<TargetTask, bool> which, Action? found = null)
    {
        abortion.Elsewhere++;
        other.Post(() => other.AbortTasks(which, Reached(abortion), found));
    }

    private void AwaitLate(Abortion abortion, uint before, Func<TargetTask, bool> which)
    {
        abortion.Elsewhere++;
        phase.Session.Late.Await(before, which, Reached(abortion));
    }

    /// <summary>For another loop to call when its part is done.</summary>
    private Action Reached(Abortion abortion) => () => phase.Connection.Post(() =>
    {
        abortion.Elsewhere--;
        Check(abortion);
    });

    private Abortion Abort(Func<TargetTask, bool> which, Action then, Action? found = null)
    {
        var abortion = new Abortion(then);
        var tasks = phase.Session.Tasks.Where(t => t.Phase == phase && which(t));
        foreach (var task in tasks)
        {
            if (phase.Runner.Abort(task))
                abortion.Tasks.Add(task);
        }
        if (tasks.Length > 0)
            found?.Invoke();
        return abortion;
    }

    private void Wait(Abortion abortion)
    {
        _pending.Add(abortion);
        Check(abortion);
    }

    private void Check(Abortion abortion)
    {
        if (abortion.Tasks.Count == 0 && abortion.Elsewhere == 0 && _pending.Remove(abortion))
            abortion.Then();
    }

    private void Answer(uint tag, TaskManagementResponse response)
    {
        if (phase.Connection.IsEnding)
            return;
        Span<byte> bytes = stackalloc byte[PduHeader.Size];
        var pdu = TaskManagementResponsePdu.Begin(bytes);
        pdu.InitiatorTaskTag = tag;
        pdu.Response = response;
        phase.Sender.Send(bytes, [], status: true);
    }
}
