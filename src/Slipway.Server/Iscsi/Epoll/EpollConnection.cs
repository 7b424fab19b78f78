using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Slipway.Iscsi.Target;

namespace Slipway.Server.Iscsi.Epoll;

/// <summary>
/// One connection on an event loop. A turn receives once, takes every PDU that is whole, and sends all replies in one
/// go. A socket that takes no more pauses the connection: what was received and not yet looked at is kept meanwhile, and
/// that is all the memory of its own that it ever has.
/// </summary>
internal sealed class EpollConnection : ITransportConnection
{
    private readonly Socket _socket;
    private readonly int _file;
    private readonly EpollLoop _loop;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private byte[]? _rest;
    private int _restStart;
    private int _restEnd;
    private bool _isWatched;
    private bool _mayReceive = true;
    private bool _maySend = true;
    private bool _isHungUp;
    private bool _closed;
    private volatile bool _aborted;
    private long _deadlineCheck;

    public EpollConnection(Socket socket, TargetNode node, EpollLoop loop)
    {
        _socket = socket;
        _file = (int)socket.SafeHandle.DangerousGetHandle();
        _loop = loop;
        Remote = Endpoints.Plain(socket.RemoteEndPoint);
        Target = node.Accept(Remote, Endpoints.Plain(socket.LocalEndPoint), Wake, facts =>
        {
            Liveness.Watch(socket, facts);
            SendBuffer.Bound(socket);
        });
    }

    public IPEndPoint Remote { get; }

    public TargetConnection Target { get; }

    /// <summary>It is in its loop's list already; guarded by the loop.</summary>
    public bool IsWoken { get; set; }

    public Task RunAsync()
    {
        _loop.Join();
        Wake();
        return _ended.Task;
    }

    public void CheckDeadline(DateTimeOffset now)
    {
        Interlocked.Exchange(ref _deadlineCheck, now.UtcTicks);
        Wake();
    }

    public void Abort()
    {
        _aborted = true;
        Wake();
    }

    /// <summary>On the loop: something happened on the socket (<paramref name="events"/>), or somebody woke it (0).</summary>
    public void Turn(uint events)
    {
        if (_ended.Task.IsCompleted)
            return;
        try
        {
            // Why a socket ended is told by receiving from it, after all that came before.
            _isHungUp |= (events & (Native.ReadHangUp | Native.Error | Native.HangUp)) != 0;
            _mayReceive |= _isHungUp || (events & Native.In) != 0;
            _maySend |= (events & (Native.Out | Native.Error | Native.HangUp)) != 0;
            if (Volatile.Read(ref _deadlineCheck) != 0 && Interlocked.Exchange(ref _deadlineCheck, 0) is > 0 and var ticks)
                Target.CheckDeadline(new DateTimeOffset(ticks, TimeSpan.Zero));
            Target.Run();
            if (!_closed && Exchange() is { } reason)
                Close(reason);
            if (Target.HasEnded && _ended.TrySetResult())
                _loop.Leave();
        }
        catch (Exception bug)
        {
            // The outermost frame of the loop: one connection's bug must not take the disks of all the others away.
            Drop(bug);
        }
    }

    private void Wake() => _loop.Wake(this);

    /// <summary>Moves bytes both ways as far as they go. A reason where the connection is to be closed.</summary>
    private string? Exchange()
    {
        if (_aborted)
            return "closed";
        if (!_isWatched)
        {
            _isWatched = true;
            if (_loop.Watch(_file, this) is not 0 and var errno)
                return Marshal.GetPInvokeErrorMessage(errno);
        }
        if ((Send() ?? TakeRest()) is { } broken)
            return broken;
        if (_mayReceive && _rest is null && !Target.IsPaused && Receive() is { } end)
            return end;
        if (Target.ShouldClose)
            return "closed";
        // More came than one turn takes: the others first.
        if (_mayReceive && _rest is null && !Target.IsPaused)
            Wake();
        return null;
    }

    private string? Receive()
    {
        var bytes = _loop.Receive(_file, out var error, out var more);
        _mayReceive = more || _isHungUp;
        if (!bytes.IsEmpty)
        {
            var taken = Take(bytes, out var broken);
            if (taken < bytes.Length)
                Keep(bytes[taken..]);
            return broken;
        }
        return error switch
        {
            0 => "the initiator closed the connection",
            Native.EAGAIN => null,
            _ => Marshal.GetPInvokeErrorMessage(error),
        };
    }

    private string? TakeRest()
    {
        if (_rest is null)
            return null;
        _restStart += Take(_rest.AsSpan(_restStart, _restEnd - _restStart), out var broken);
        if (_restStart == _restEnd)
            ReturnRest();
        return broken;
    }

    /// <summary>Takes PDUs and sends their replies until all are taken or the socket takes no more; returns how many bytes.</summary>
    private int Take(ReadOnlySpan<byte> bytes, out string? broken)
    {
        var taken = 0;
        do
        {
            taken += Target.Receive(bytes[taken..]);
            broken = Send();
        }
        while (broken is null && taken < bytes.Length && !Target.IsPaused);
        return taken;
    }

    private string? Send()
    {
        while (_maySend && !Target.Output.IsEmpty)
        {
            var sent = _loop.Send(_file, Target.Output, out var error);
            if (error == Native.EAGAIN)
                _maySend = false;
            else if (error != 0)
                return Marshal.GetPInvokeErrorMessage(error);
            else
                Target.Sent(sent);
        }
        return null;
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        _rest = ArrayPool<byte>.Shared.Rent(bytes.Length);
        bytes.CopyTo(_rest);
        (_restStart, _restEnd) = (0, bytes.Length);
    }

    private void ReturnRest()
    {
        if (_rest is null)
            return;
        ArrayPool<byte>.Shared.Return(_rest);
        _rest = null;
    }

    private void Close(string reason)
    {
        CloseSocket();
        Target.TransportClosed(reason);
    }

    private void CloseSocket()
    {
        _closed = true;
        if (_isWatched)
            _loop.Forget(_file);
        _socket.Dispose();
        ReturnRest();
    }

    private void Drop(Exception bug)
    {
        if (!_closed)
            CloseSocket();
        if (_ended.TrySetException(bug))
            _loop.Leave();
    }
}
