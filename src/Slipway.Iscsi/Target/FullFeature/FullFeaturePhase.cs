using Slipway.Iscsi.Pdu;
using Slipway.Iscsi.Text;
using Slipway.Iscsi.Transfer;

namespace Slipway.Iscsi.Target.FullFeature;

/// <summary>
/// The full feature phase of a connection: looks at each PDU as it comes in, and hands it, when its turn has come, to the
/// part that knows it.
/// </summary>
internal sealed class FullFeaturePhase
{
    private readonly CommandReceiver _commands;
    private readonly DataOutReceiver _dataOut;
    private readonly TextRequests _text;
    private readonly Logout _logout;
    private byte[]? _segment;
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
        Order = new CommandOrder(this);
        Nop = new Nop(this);
        _commands = new CommandReceiver(this);
        _dataOut = new DataOutReceiver(this);
        _text = new TextRequests(this);
        _logout = new Logout(this);
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

    public CommandOrder Order { get; }

    public TaskRunner Runner { get; }

    public TaskManagement Management { get; }

    public Nop Nop { get; }

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
                    data = (_segment = Buffers.Rent(length)).AsMemory(0, length);
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
            if (!intact)
                Reject(header, RejectReason.DataDigestError);
            _dataOut.End(new(header.Bytes), task, intact);
            task?.Release();
        }
        else if (_rejected is { } reason)
        {
            if (task is not null)
                Runner.Drop(task);
            Reject(header, reason);
        }
        else
        {
            Order.Take(header, task, _segment is null ? default : _segment.AsSpan(0, header.DataSegmentLength));
        }
        ReturnSegment();
        Runner.Pump();
    }

    /// <summary>The connection is gone in the middle of a PDU.</summary>
    public void Abandon()
    {
        ReturnSegment();
        if (_receiving is not null && _receivingCommand)
            Runner.Drop(_receiving);
        else
            _receiving?.Release();
        _receiving = null;
        Runner.DropDormant();
        Order.Abandon();
    }

    /// <summary>A request's turn has come, or it is immediate. A command without a task was ignored when it came.</summary>
    public void Deliver(PduHeader header, TargetTask? task, ReadOnlySpan<byte> data)
    {
        switch (header.Opcode)
        {
            case Opcode.ScsiCommand:
                if (task is not null)
                    Runner.Start(task);
                break;
            case Opcode.NopOut:
                Nop.Handle(new(header.Bytes), data);
                break;
            case Opcode.TextRequest:
                _text.Handle(new(header.Bytes), data);
                break;
            case Opcode.TaskManagementRequest:
                Management.Handle(new(header.Bytes));
                break;
            default:
                _logout.Handle(new(header.Bytes));
                break;
        }
    }

    /// <summary>A task's buffers are free again.</summary>
    public void Released(TargetTask task)
    {
        Runner.Account.Discharge(task);
        Node.Tasks.Return(task);
    }

    /// <summary>
    /// Refuses a request. One that was not delivered counts as never received (§7.3): its CmdSN is missing until another
    /// request comes with it, or the task that it was for is aborted.
    /// </summary>
    public void Reject(PduHeader refused, RejectReason reason)
    {
        Span<byte> bytes = stackalloc byte[PduHeader.Size];
        var reject = RejectPdu.Begin(bytes);
        reject.Reason = reason;
        reject.Header.SetWord(16, PduHeader.ReservedTag);
        Sender.Send(bytes, refused.Bytes, status: true);
    }

    /// <summary>An Async Message without a LUN (§11.9).</summary>
    public void Tell(AsyncEvent what, ushort seconds)
    {
        Span<byte> bytes = stackalloc byte[PduHeader.Size];
        var message = AsyncMessagePdu.Begin(bytes);
        message.Header.SetWord(16, PduHeader.ReservedTag);
        message.Event = what;
        message.Parameter3 = seconds;
        Sender.Send(bytes, [], status: true);
    }

    private void ReturnSegment()
    {
        if (_segment is null)
            return;
        Buffers.Return(_segment);
        _segment = null;
    }
}
