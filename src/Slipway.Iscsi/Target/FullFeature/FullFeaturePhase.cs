using Slipway.Iscsi.Pdu;
using Slipway.Iscsi.Transfer;

namespace Slipway.Iscsi.Target.FullFeature;

/// <summary>
/// The full feature phase of a connection: takes requests in the order of their CmdSN (RFC 7143 §4.2.2.1) and hands each
/// to the part that knows it.
/// </summary>
internal sealed class FullFeaturePhase
{
    private readonly CommandReceiver _commands;
    private readonly DataOutReceiver _dataOut;
    private readonly TextPhase _text;
    private readonly Dictionary<uint, HeldRequest> _held = [];
    private byte[]? _ping;
    private ulong _seenAlive;
    private RejectReason? _rejected;
    private TargetTask? _receiving;
    private bool _receivingCommand;

    public FullFeaturePhase(TargetConnection connection, TargetNode node, Session session, PduSender sender)
    {
        Connection = connection;
        Node = node;
        Session = session;
        Sender = sender;
        Runner = new TaskRunner(this);
        Management = new TaskManagement(this);
        _commands = new CommandReceiver(this);
        _dataOut = new DataOutReceiver(this);
        _text = new TextPhase(this);
    }

    /// <summary>A request before its turn. Without a header it is over already, and only its CmdSN is waited for.</summary>
    private sealed record HeldRequest(byte[]? Header, TargetTask? Task, byte[] Data)
    {
        public static HeldRequest Void { get; } = new(null, null, []);
    }

    public TargetConnection Connection { get; }

    public TargetNode Node { get; }

    public Session Session { get; }

    public PduSender Sender { get; }

    public BufferPool Buffers => Node.Buffers;

    public TaskRunner Runner { get; }

    public TaskManagement Management { get; }

    public bool SendsFiles => Connection.SendsFiles && !Sender.DataDigest;

    public bool IsDiscovery => Session.Device is null;

    /// <summary>Decides where a PDU's data goes. False ends the connection; the reason has been given to it.</summary>
    public bool Begin(PduHeader header, out Memory<byte> data)
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
                _rejected = _commands.Begin(new(header.Bytes), out _receiving, out data);
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
        foreach (var held in _held.Values)
        {
            if (held.Task is not null)
                Runner.Drop(held.Task);
        }
        _held.Clear();
    }

    /// <summary>A request that will never come counts as received (§11.6.1 b). False where its CmdSN is outside the window.</summary>
    public bool PassOver(uint cmdSN)
    {
        if (!Session.Window.Contains(cmdSN))
            return false;
        Order(cmdSN, HeldRequest.Void);
        return true;
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
        else if (header.SequenceNumber == Session.Window.Expected && Session.Window.Contains(header.SequenceNumber))
        {
            Session.Window.Advance();
            Deliver(header, task, data);
            DeliverHeld();
        }
        else if (!Order(header.SequenceNumber, new(header.Bytes.ToArray(), task, data.ToArray())) && task is not null)
        {
            Runner.Drop(task);
        }
    }

    /// <summary>False where the CmdSN is outside the window, or here already: then it is ignored, with no answer (§4.2.2.1).</summary>
    private bool Order(uint cmdSN, HeldRequest request)
    {
        if (!Session.Window.Contains(cmdSN) || !_held.TryAdd(cmdSN, request))
            return false;
        DeliverHeld();
        return true;
    }

    private void DeliverHeld()
    {
        while (_held.Count > 0 && _held.Remove(Session.Window.Expected, out var next))
        {
            Session.Window.Advance();
            if (next.Header is not null)
                Deliver(new(next.Header), next.Task, next.Data);
        }
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
        Sender.Send(bytes, ping[..Math.Min(ping.Length, Session.Parameters.PeerMaxRecvDataSegmentLength)], status: true);
    }

    private void Logout(LogoutRequestPdu request)
    {
        var (tag, cid) = (request.InitiatorTaskTag, request.Cid);
        var result = request.Reason switch
        {
            LogoutReason.CloseSession => LogoutResult.Closed,
            LogoutReason.CloseConnection => cid == Connection.Cid ? LogoutResult.Closed : LogoutResult.CidNotFound,
            _ => LogoutResult.RecoveryNotSupported,
        };
        if (result != LogoutResult.Closed)
        {
            AnswerLogout(tag, result);
            return;
        }
        // §11.14: the answer comes when nothing is left running.
        Management.AbortThen(_ => true, () =>
        {
            AnswerLogout(tag, result);
            Connection.Finish("the initiator logged out");
        });
    }

    private void AnswerLogout(uint tag, LogoutResult result)
    {
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
