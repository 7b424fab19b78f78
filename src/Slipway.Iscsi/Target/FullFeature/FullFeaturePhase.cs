using Slipway.Iscsi.Pdu;
using Slipway.Iscsi.Text;
using Slipway.Iscsi.Transfer;

namespace Slipway.Iscsi.Target.FullFeature;

/// <summary>
/// The full feature phase of a connection: takes requests in the order of their CmdSN (RFC 7143 §4.2.2.1) and hands each
/// to the part that knows it.
/// </summary>
internal sealed class FullFeaturePhase
{
    private const string LoggedOut = "the initiator logged out";
    private readonly CommandReceiver _commands;
    private readonly DataOutReceiver _dataOut;
    private readonly TextPhase _text;
    private readonly Action _deliverHeld;
    private byte[]? _ping;
    private ulong _seenAlive;
    private RejectReason? _rejected;
    private TargetTask? _receiving;
    private bool _receivingCommand;

    public FullFeaturePhase(TargetConnection connection, TargetNode node, Session session, PduSender sender, LoginFacts facts, OperationalParameters parameters)
    {
        Facts = facts;
        Parameters = parameters;
        Connection = connection;
        Node = node;
        Session = session;
        Sender = sender;
        Runner = new TaskRunner(this);
        Management = new TaskManagement(this);
        _deliverHeld = DeliverHeld;
        _commands = new CommandReceiver(this);
        _dataOut = new DataOutReceiver(this);
        _text = new TextPhase(this);
    }

    public TargetConnection Connection { get; }

    public TargetNode Node { get; }

    public Session Session { get; }

    /// <summary>What this connection's login said.</summary>
    public LoginFacts Facts { get; }

    /// <summary>The session's, and what this connection agreed on for itself: digests and segment lengths.</summary>
    public OperationalParameters Parameters { get; }

    public PduSender Sender { get; }

    public BufferPool Buffers => Node.Buffers;

    public TaskRunner Runner { get; }

    public TaskManagement Management { get; }

    public bool IsDiscovery => Session.Device is null;

    /// <summary>Decides where a PDU's data goes. False ends the connection; the reason has been given to it.</summary>
    public bool Begin(PduHeader header, ReadOnlySpan<byte> additional, out Memory<byte> data)
    {
        data = default;
        _rejected = null;
        _receivingCommand = header.Opcode == Opcode.ScsiCommand;
        var length = header.DataSegmentLength;
        if (length > Node.Limits.Offer.MaxRecvDataSegmentLength)
        {
            Connection.Close($"a {header.Opcode} PDU announces {length} bytes of data, more than the {Node.Limits.Offer.MaxRecvDataSegmentLength} agreed on");
            return false;
        }
        switch (header.Opcode)
        {
            case Opcode.ScsiCommand when !IsDiscovery:
                _rejected = _commands.Begin(new(header.Bytes), additional, out _receiving, out data);
                break;
            case Opcode.DataOut when !IsDiscovery:
                _receiving = _dataOut.Begin(new(header.Bytes), out data);
                _receiving?.Hold();
                break;
            case Opcode.TextRequest or Opcode.NopOut:
                if (length > 0)
                    data = (_ping = Buffers.Rent(length)).AsMemory(0, length);
                break;
            case Opcode.LoginRequest:
                // §6.3: a login request in the full feature phase is a protocol error.
                _rejected = RejectReason.ProtocolError;
                break;
            case Opcode.SnackRequest:
                _rejected = RejectReason.SnackReject;
                break;
            case Opcode.LogoutRequest:
            case Opcode.TaskManagementRequest when !IsDiscovery:
                break;
            default:
                _rejected = IsDiscovery ? RejectReason.ProtocolError : RejectReason.CommandNotSupported;
                break;
        }
        return true;
    }

    public void End(PduHeader header, bool intact)
    {
        var task = _receiving;
        _receiving = null;
        if (!intact)
            _rejected = RejectReason.DataDigestError;
        if (header.Opcode == Opcode.DataOut && !IsDiscovery)
        {
            _dataOut.End(new(header.Bytes), task, intact);
            task?.Release();
            if (!intact)
                Reject(header, RejectReason.DataDigestError);
        }
        else if (_rejected is { } reason)
        {
            if (task is not null)
                Runner.Drop(task);
            Reject(header, reason);
            // §7.8: one with damaged data may come again. Every other one has had its turn.
            if (intact && TakesCmdSN(header))
                Order(header.SequenceNumber, HeldRequest.Void);
        }
        else
        {
            Order(header, task);
        }
        ReturnPing();
        Runner.Pump();
    }

    /// <summary>The connection is gone in the middle of a PDU.</summary>
    public void Abandon()
    {
        ReturnPing();
        if (_receiving is not null && _receivingCommand)
            Runner.Drop(_receiving);
        else
            _receiving?.Release();
        _receiving = null;
        Runner.DropOrdered();
        Session.Held.Abandon(this).ForEach(Runner.Drop);
        PassTurn();
    }

    /// <summary>A request that will never come counts as received (§11.6.1 b). False where its CmdSN is outside the window.</summary>
    public bool PassOver(uint cmdSN)
    {
        if (!Session.Window.Contains(cmdSN))
            return false;
        Order(cmdSN, HeldRequest.Void);
        return true;
    }

    /// <summary>What was sent before this CmdSN, and is not here, counts as received too (§4.2.3.3 b).</summary>
    public void PassOverAllBefore(uint cmdSN)
    {
        for (var missing = Session.Window.Expected; SerialNumber.IsBefore(missing, cmdSN) && Session.Window.Contains(missing); missing++)
            Session.Held.TryHold(missing, HeldRequest.Void);
        DeliverHeld();
    }

    /// <summary>A task's buffers are free again.</summary>
    public void Released(TargetTask task)
    {
        Runner.Discharge(task);
        Node.Tasks.Return(task);
    }

    public void Reject(PduHeader refused, RejectReason reason)
    {
        Span<byte> bytes = stackalloc byte[PduHeader.Size];
        var reject = RejectPdu.Begin(bytes);
        reject.Header.SetFlag(1, PduHeader.FinalFlag, true);
        reject.Reason = reason;
        reject.Header.SetWord(16, PduHeader.ReservedTag);
        Sender.Send(bytes, refused.Bytes, status: true);
    }

    /// <summary>An Async Message without a LUN (§11.9).</summary>
    public void Tell(AsyncEvent what, ushort seconds)
    {
        Span<byte> bytes = stackalloc byte[PduHeader.Size];
        var message = AsyncMessagePdu.Begin(bytes);
        message.Header.SetFlag(1, PduHeader.FinalFlag, true);
        message.Header.SetWord(16, PduHeader.ReservedTag);
        message.Event = what;
        message.Parameter3 = seconds;
        Sender.Send(bytes, [], status: true);
    }

    /// <summary>Sends a NOP-In that wants no answer (§11.19.1), where nothing was sent since the last call.</summary>
    public void KeepAlive()
    {
        if (_seenAlive == Sender.Sent)
        {
            Span<byte> bytes = stackalloc byte[PduHeader.Size];
            var ping = NopInPdu.Begin(bytes);
            ping.Header.SetFlag(1, PduHeader.FinalFlag, true);
            ping.InitiatorTaskTag = ping.TargetTransferTag = PduHeader.ReservedTag;
            Sender.Send(bytes, [], status: false);
        }
        _seenAlive = Sender.Sent;
    }

    private void Order(PduHeader header, TargetTask? task)
    {
        var data = _ping is null ? default : _ping.AsSpan(0, header.DataSegmentLength);
        if (header.Immediate)
        {
            Deliver(header, task, data);
        }
        else if (header.SequenceNumber == Session.Window.Expected && Session.Window.Contains(header.SequenceNumber) && Session.Held.Due is null)
        {
            Session.Window.Advance();
            Deliver(header, task, data);
            DeliverHeld();
        }
        else if (Session.Window.Contains(header.SequenceNumber) && !Session.Held.HasRoomFor(data.Length))
        {
            // It is a text or a ping, and may come again.
            Reject(header, RejectReason.LongOperationReject);
            Order(header.SequenceNumber, HeldRequest.Void);
        }
        else if (!Order(header.SequenceNumber, new(this, header.Bytes.ToArray(), task, data.ToArray())) && task is not null)
        {
            Runner.Drop(task);
        }
    }

    private bool Order(uint cmdSN, HeldRequest request)
    {
        if (!Session.Held.TryHold(cmdSN, request))
            return false;
        DeliverHeld();
        return true;
    }

    /// <summary>Delivers what is due, until what comes next is for another connection to deliver: that is told.</summary>
    private void DeliverHeld()
    {
        while (Session.Held.TryTake(this, out var next))
        {
            if (next.Owner is not null)
                Deliver(new(next.Header), next.Task, next.Data);
        }
        PassTurn();
    }

    private void PassTurn()
    {
        while (Session.Held.TryTake(null, out _))
        {
        }
        if (Session.Held.Due is { } other)
            other.Connection.Post(other._deliverHeld);
        Session.Late.Check();
    }

    private static bool TakesCmdSN(PduHeader header) =>
        !header.Immediate && header.Opcode is not (Opcode.DataOut or Opcode.SnackRequest);

    private void Deliver(PduHeader header, TargetTask? task, ReadOnlySpan<byte> data)
    {
        switch (header.Opcode)
        {
            case Opcode.ScsiCommand:
                if (task is not null)
                    Runner.Start(task);
                break;
            case Opcode.NopOut:
                Nop(new(header.Bytes), data);
                break;
            case Opcode.TextRequest:
                _text.Handle(new(header.Bytes), data);
                break;
            case Opcode.TaskManagementRequest:
                Management.Handle(new(header.Bytes));
                break;
            default:
                Logout(new(header.Bytes));
                break;
        }
    }

    private void Nop(NopOutPdu request, ReadOnlySpan<byte> ping)
    {
        // §11.18.1: no answer is wanted, or it is the answer to a NOP-In of ours.
        if (request.InitiatorTaskTag == PduHeader.ReservedTag)
            return;
        Span<byte> bytes = stackalloc byte[PduHeader.Size];
        var answer = NopInPdu.Begin(bytes);
        answer.Header.SetFlag(1, PduHeader.FinalFlag, true);
        answer.Lun = request.Lun;
        answer.InitiatorTaskTag = request.InitiatorTaskTag;
        answer.TargetTransferTag = PduHeader.ReservedTag;
        Sender.Send(bytes, ping[..Math.Min(ping.Length, Parameters.PeerMaxRecvDataSegmentLength)], status: true);
    }

    private void Logout(LogoutRequestPdu request)
    {
        var (tag, cid) = (request.InitiatorTaskTag, request.Cid);
        switch (request.Reason)
        {
            case LogoutReason.CloseSession:
                Session.Seal();
                LeaveThen(Session.Connections(except: Connection), () => AnswerLogout(tag, LogoutResult.Closed));
                break;
            case LogoutReason.CloseConnection when cid == Connection.Cid:
                LeaveThen([], () => AnswerLogout(tag, LogoutResult.Closed));
                break;
            case LogoutReason.CloseConnection when Session.WithCid(cid) is { } other:
                Management.EndThen([other], LoggedOut, _ => false, () => AnswerLogout(tag, LogoutResult.Closed));
                break;
            case LogoutReason.CloseConnection:
                AnswerLogout(tag, LogoutResult.CidNotFound);
                break;
            case LogoutReason.RemoveForRecovery:
                AnswerLogout(tag, LogoutResult.RecoveryNotSupported);
                break;
            default:
                Reject(request.Header, RejectReason.InvalidPduField);
                break;
        }
    }

    /// <summary>§11.14: the answer comes when nothing is left running.</summary>
    private void LeaveThen(List<TargetConnection> others, Action answer) => Management.EndThen(others, LoggedOut, _ => true, () =>
    {
        answer();
        Connection.Finish(LoggedOut);
    });

    private void AnswerLogout(uint tag, LogoutResult result)
    {
        if (Connection.IsEnding)
            return;
        Span<byte> bytes = stackalloc byte[PduHeader.Size];
        var answer = LogoutResponsePdu.Begin(bytes);
        answer.Header.SetFlag(1, PduHeader.FinalFlag, true);
        answer.InitiatorTaskTag = tag;
        answer.Response = result;
        Sender.Send(bytes, [], status: true);
    }

    private void ReturnPing()
    {
        if (_ping is null)
            return;
        Buffers.Return(_ping);
        _ping = null;
    }
}
