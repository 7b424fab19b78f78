using System.Runtime.InteropServices;
using Slipway.Iscsi.Pdu;
using Slipway.Scsi;

namespace Slipway.Iscsi.Target.FullFeature;

/// <summary>What a finished command sends: Data-In, then status, in one PDU where the standard allows (RFC 7143 §11.4, §11.7).</summary>
internal sealed class TaskResponder(FullFeaturePhase phase)
{
    public void Respond(TargetTask task)
    {
        var length = (int)Math.Min((uint)task.DataIn.Length, task.ExpectedIn);
        if (length > 0)
        {
            phase.Session.BytesRead += length;
            // §11.7.3: status goes with the last data where there is no sense to go with it, nor a second residual.
            var collapse = task.SenseLength == 0 && !task.IsBidirectional;
            SendData(task, length, collapse);
            if (collapse)
                return;
        }
        SendStatus(task);
    }

    private void SendData(TargetTask task, int length, bool collapse)
    {
        if (!MemoryMarshal.TryGetArray(task.DataIn, out var data))
            throw new InvalidOperationException("Data-In does not lie in the buffer that was lent for it");
        var segment = Math.Min(phase.Parameters.PeerMaxRecvDataSegmentLength, phase.Parameters.MaxBurstLength);
        var burst = phase.Parameters.MaxBurstLength;
        Span<byte> bytes = stackalloc byte[PduHeader.Size];
        for (var offset = 0; offset < length;)
        {
            // A sequence of Data-In PDUs ends, with F, at MaxBurstLength (§13.13).
            var left = burst - offset % burst;
            var run = Math.Min(Math.Min(segment, left), length - offset);
            var last = offset + run == length;
            var pdu = DataInPdu.Begin(bytes);
            pdu.InitiatorTaskTag = (uint)task.Tag;
            pdu.TargetTransferTag = PduHeader.ReservedTag;
            pdu.DataSN = task.DataPdus++;
            pdu.BufferOffset = (uint)offset;
            pdu.Final = last || run == left;
            if (last && collapse)
            {
                pdu.HasStatus = true;
                pdu.Status = task.Status;
                (pdu.Overflow, pdu.Underflow, pdu.ResidualCount) = Residual(task);
            }
            if (last)
                task.Hold();
            phase.Sender.Send(bytes, data.Slice(offset, run), last && collapse, last ? task : null);
            offset += run;
        }
    }

    private void SendStatus(TargetTask task)
    {
        Span<byte> bytes = stackalloc byte[PduHeader.Size];
        var pdu = ScsiResponsePdu.Begin(bytes);
        pdu.InitiatorTaskTag = (uint)task.Tag;
        pdu.Status = task.Status;
        pdu.ExpDataSN = task.DataPdus;
        (pdu.Overflow, pdu.Underflow, pdu.ResidualCount) = Residual(task);
        if (task.IsBidirectional)
            (pdu.ReadOverflow, pdu.ReadUnderflow, pdu.ReadResidualCount) = Difference(task.TakesData ? 0 : task.TransferLength, task.ReadExpected);
        if (task.SenseLength == 0)
        {
            phase.Sender.Send(bytes, [], status: true);
            return;
        }
        // §11.4.7: SenseLength, then the sense data.
        Span<byte> data = stackalloc byte[2 + ScsiTask.MaxSense];
        data[1] = (byte)task.SenseLength;
        task.Sense.CopyTo(data[2..]);
        phase.Sender.Send(bytes, data[..(2 + task.SenseLength)], status: true);
    }

    /// <summary>§11.4.5: what the command moves against what the initiator expected, which is nothing in the other direction. Of a bidirectional command: what it writes.</summary>
    private static (bool Over, bool Under, uint Count) Residual(TargetTask task)
    {
        if (task.IsBidirectional)
            return Difference(task.TakesData ? task.TransferLength : 0, task.Expected);
        var isOtherWay = task.TransferLength > 0 && task.TakesData != task.Write;
        return Difference(task.TransferLength, isOtherWay ? 0 : task.Expected);
    }

    private static (bool Over, bool Under, uint Count) Difference(long moved, uint expected) => (moved - expected) switch
    {
        > 0 and var over => (true, false, (uint)Math.Min(over, uint.MaxValue)),
        < 0 and var under => (false, true, (uint)-under),
        _ => default,
    };
}
