using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Slipway.Iscsi.Target;

namespace Slipway.Server.Iscsi.Sockets;

/// <summary>
/// One connection over a socket: a receive loop, and a send loop that runs while there is something to send or to do.
/// The gate makes them one loop in the eyes of <see cref="TargetConnection"/>. An idle connection holds no buffer.
/// </summary>
internal sealed class SocketConnection : ITransportConnection, IThreadPoolWorkItem
{
    private const int ReceiveBuffer = 128 * 1024;
    private const int MaxPieces = 256;
    private readonly Socket _socket;
    private readonly Lock _gate = new();
    private readonly ArraySegment<byte>[] _pieces = new ArraySegment<byte>[8];
    private readonly Channel<byte> _progress = Channel.CreateBounded<byte>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _kicks;
    private string? _received;
    private volatile bool _closed;

    public SocketConnection(Socket socket, TargetNode node)
    {
        _socket = socket;
        Remote = Endpoints.Plain(socket.RemoteEndPoint);
        Target = node.Accept(Remote, Endpoints.Plain(socket.LocalEndPoint), Wake, facts => Liveness.Watch(socket, facts));
    }

    public IPEndPoint Remote { get; }

    public TargetConnection Target { get; }

    public async Task RunAsync()
    {
        var reason = await ReceiveAsync();
        _closed = true;
        _socket.Dispose();
        lock (_gate)
            _received = reason;
        Kick();
        await _ended.Task;
    }

    public void CheckDeadline(DateTimeOffset now)
    {
        lock (_gate)
            Target.CheckDeadline(now);
        Wake();
    }

    public void Abort() => _socket.Dispose();

    void IThreadPoolWorkItem.Execute() => Kick();

    // Whoever wakes may hold the gate of another connection: nothing is done here and now.
    private void Wake() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    private async Task<string> ReceiveAsync()
    {
        try
        {
            while (true)
            {
                // Waits without a buffer.
                await _socket.ReceiveAsync(Memory<byte>.Empty);
                var buffer = ArrayPool<byte>.Shared.Rent(ReceiveBuffer);
                try
                {
                    var received = await _socket.ReceiveAsync(buffer);
                    if (received == 0)
                        return "the initiator closed the connection";
                    if (!await TakeAsync(buffer.AsMemory(0, received)))
                        return "closed";
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                }
            }
        }
        catch (SocketException e)
        {
            return e.Message;
        }
        catch (ObjectDisposedException)
        {
            return "closed";
        }
    }

    private async ValueTask<bool> TakeAsync(ReadOnlyMemory<byte> bytes)
    {
        while (true)
        {
            lock (_gate)
                bytes = bytes[Target.Receive(bytes.Span)..];
            Kick();
            if (bytes.IsEmpty)
                return true;
            // Paused: replies go first. The send loop reports each step; a closed socket ends the wait.
            _ = await _progress.Reader.ReadAsync();
            if (_closed)
                return false;
        }
    }

    /// <summary>Has the send loop look; starts it where it does not run.</summary>
    private void Kick()
    {
        if (Interlocked.Increment(ref _kicks) == 1)
            _ = SendAsync();
    }

    private async Task SendAsync()
    {
        var pieces = new List<ArraySegment<byte>>();
        while (true)
        {
            var seen = Volatile.Read(ref _kicks);
            lock (_gate)
            {
                Target.Run();
                // Only here is it sure that the kernel uses none of the buffers any more.
                if (_received is not null)
                    Target.TransportClosed(_received);
                if (Target.HasEnded)
                    _ended.TrySetResult();
                _closed |= Target.ShouldClose;
                pieces.Clear();
                if (!_closed)
                    Gather(pieces);
            }
            if (_closed)
                _socket.Dispose();
            else if (pieces.Count > 0 && await SendAsync(pieces))
                continue;
            _progress.Writer.TryWrite(0);
            if (Interlocked.CompareExchange(ref _kicks, 0, seen) == seen)
                return;
        }
    }

    private void Gather(List<ArraySegment<byte>> pieces)
    {
        var all = Target.Output.SegmentCount > _pieces.Length ? new ArraySegment<byte>[Math.Min(MaxPieces, Target.Output.SegmentCount)] : _pieces;
        var count = Target.Output.Peek(all);
        for (var i = 0; i < count; i++)
            pieces.Add(all[i]);
    }

    private async ValueTask<bool> SendAsync(List<ArraySegment<byte>> pieces)
    {
        try
        {
            var sent = await _socket.SendAsync(pieces, SocketFlags.None);
            lock (_gate)
                Target.Sent(sent);
            _progress.Writer.TryWrite(0);
            return true;
        }
        catch (SocketException)
        {
            // The receive loop hears of it too, and says why.
            _closed = true;
            _socket.Dispose();
            return false;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
    }
}
