using Slipway.Iscsi.Pdu;

namespace Slipway.Iscsi.Target.FullFeature;

/// <summary>
/// The order of CmdSN, which counts over all connections of a session (RFC 7143 §4.2.2.1), as one of them keeps it: what
/// comes before its turn is held, and what is due on another connection is left to that one, which is told.
/// </summary>
internal sealed class CommandOrder
{
    private readonly FullFeaturePhase _phase;
    private readonly Action _deliverHeld;

    public CommandOrder(FullFeaturePhase phase)
    {
        _phase = phase;
        _deliverHeld = DeliverHeld;
    }

    private Session Session => _phase.Session;

    /// <summary>Delivers a request, and what has waited for it; or holds it until its turn.</summary>
    public void Take(PduHeader header, TargetTask? task, ReadOnlySpan<byte> data)
    {
        if (header.Immediate)
        {
            _phase.Deliver(header, task, data);
        }
        else if (header.SequenceNumber == Session.Window.Expected && Session.Window.Contains(header.SequenceNumber) && Session.Held.Due is null)
        {
            Session.Window.Advance();
            _phase.Deliver(header, task, data);
            DeliverHeld();
        }
        else if (Session.Window.Contains(header.SequenceNumber) && !Session.Held.HasRoomFor(data.Length))
        {
            // It is a text or a ping, and may come again.
            _phase.Reject(header, RejectReason.LongOperationReject);
        }
        else if (!TryHold(header.SequenceNumber, new(_phase, header.Bytes.ToArray(), task, data.ToArray())) && task is not null)
        {
            _phase.Runner.Drop(task);
        }
    }

    /// <summary>A request that will never come counts as received (§11.6.1 b). False where its CmdSN is outside the window.</summary>
    public bool PassOver(uint cmdSN)
    {
        if (!Session.Window.Contains(cmdSN))
            return false;
        TryHold(cmdSN, HeldRequest.Void);
        return true;
    }

    /// <summary>What was sent before this CmdSN, and is not here, counts as received too (§4.2.3.3 b).</summary>
    public void PassOverAllBefore(uint cmdSN)
    {
        for (var missing = Session.Window.Expected; SerialNumber.IsBefore(missing, cmdSN) && Session.Window.Contains(missing); missing++)
            Session.Held.TryHold(missing, HeldRequest.Void);
        DeliverHeld();
    }

    /// <summary>The connection is gone: nothing of what it held is done.</summary>
    public void Abandon()
    {
        Session.Held.Abandon(_phase).ForEach(_phase.Runner.Drop);
        PassTurn();
    }

    private bool TryHold(uint cmdSN, HeldRequest request)
    {
        if (!Session.Held.TryHold(cmdSN, request))
            return false;
        DeliverHeld();
        return true;
    }

    /// <summary>Delivers what is due, until what comes next is for another connection to deliver.</summary>
    private void DeliverHeld()
    {
        while (Session.Held.TryTake(_phase, out var next))
        {
            if (next.Owner is not null)
                _phase.Deliver(new(next.Header), next.Task, next.Data);
        }
        PassTurn();
    }

    private void PassTurn()
    {
        while (Session.Held.TryTake(null, out _))
        {
        }
        if (Session.Held.Due is { } other)
            other.Connection.Post(other.Order._deliverHeld);
        Session.Late.Check();
    }
}
