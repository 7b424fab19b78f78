using Slipway.Iscsi.Pdu;
using Slipway.Scsi;

namespace Slipway.Iscsi.Target.FullFeature;

/// <summary>SCSI Command PDUs as they come in, with their immediate data (RFC 7143 §11.3).</summary>
internal sealed class CommandReceiver(FullFeaturePhase phase)
{
    /// <summary>Makes the task. A reason where the PDU is refused; neither reason nor task: it is ignored.</summary>
    public RejectReason? Begin(ScsiCommandPdu command, ReadOnlySpan<byte> additional, out TargetTask? task, out Memory<byte> data)
    {
        task = null;
        data = default;
        var session = phase.Session;
        var tag = command.InitiatorTaskTag;
        if (command.Header.Immediate)
        {
            if (!session.Window.HasRoomForImmediate)
                return RejectReason.ImmediateCommandReject;
        }
        else if (!session.Window.Contains(command.CmdSN) || session.Held.Has(command.CmdSN))
        {
            return null;
        }
        if (tag == PduHeader.ReservedTag)
            return RejectReason.InvalidPduField;
        // §11.2.1.8: a tag is unique while its task lives.
        if (session.Tasks.Contains(tag))
            return RejectReason.TaskInProgress;
        // §11.3.1: without data to write, F is set; and there is no data.
        if (!command.Write && (!command.Final || command.Header.DataSegmentLength > 0))
            return RejectReason.InvalidPduField;
        task = Make(command, additional);
        session.Add(task);
        if (task.Attribute > TaskAttribute.HeadOfQueue)
            task.Refusal = SenseCodes.InvalidMessageError;
        if (command.Write)
            PrepareDataOut(task, command);
        if (command.Header.DataSegmentLength is > 0 and var length && !task.IsRefused)
            data = task.Space(0, length);
        return null;
    }

    private TargetTask Make(ScsiCommandPdu command, ReadOnlySpan<byte> additional)
    {
        var task = phase.Node.Tasks.Rent();
        task.Begin(phase, command.Cdb);
        task.Nexus = phase.Session.Nexus!;
        task.Lun = command.Lun;
        task.Tag = command.InitiatorTaskTag;
        task.Attribute = command.Attribute;
        task.CmdSN = command.CmdSN;
        task.IsImmediate = command.Header.Immediate;
        task.Read = command.Read;
        task.Write = command.Write;
        task.Expected = command.ExpectedDataTransferLength;
        task.ReadExpected = AdditionalHeaders.ReadLength(additional);
        return task;
    }

    private void PrepareDataOut(TargetTask task, ScsiCommandPdu command)
    {
        var parameters = phase.Parameters;
        var length = command.Header.DataSegmentLength;
        task.Capacity = (int)Math.Min(task.Expected, phase.Node.Limits.TaskTransfer);
        var first = Math.Min(task.Capacity, parameters.FirstBurstLength);
        // §13.10, §13.11, §13.14: what may come unasked.
        if (!task.IsRefused && ((length > 0 && !parameters.ImmediateData) || length > first || (!command.Final && parameters.InitialR2T)))
            task.Refusal = SenseCodes.UnexpectedUnsolicitedData;
        if (task.IsRefused)
        {
            task.Unsolicited = new Burst { TransferTag = PduHeader.ReservedTag, IsOpen = !command.Final };
            return;
        }
        var unasked = command.Final ? length : first;
        // What may have to wait for older commands must not hold the memory that those need.
        if (task.Capacity > 0 && phase.Session.Tasks.Ordered == 0 && phase.Runner.Account.TryCharge(task, task.Capacity))
            task.RentDataOut(task.Capacity);
        else if (unasked > 0)
            task.RentDataOut(first);
        task.Received = length;
        task.Unsolicited = new Burst
        {
            TransferTag = PduHeader.ReservedTag,
            Next = length,
            End = unasked,
            IsOpen = !command.Final && unasked > length,
        };
    }
}
